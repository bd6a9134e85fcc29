# What an operator can start, each by its own document, so that each can be allowed by itself.

# A document is made anew when its content changes. Systems Manager refuses an update to a content that an older version
# had, and the provider then keeps the latest version without a word: after a restore under another name and the way
# back, the forward would lead to the wrong database.
resource "terraform_data" "content" {
  for_each = { database = local.database_content, shell = local.shell_content }

  triggers_replace = each.value
}

# The database and nothing else: with AWS's own AWS-StartPortForwardingSessionToRemoteHost the operator names host and
# port, and what may be reached would be decided by the security group alone. Its traffic is the database's TLS and is
# not logged; CloudTrail says who started it, and the database who logged in.
resource "aws_ssm_document" "database" {
  name            = "${var.name}-database"
  document_type   = "Session"
  document_format = "JSON"
  content         = local.database_content

  lifecycle {
    replace_triggered_by = [terraform_data.content["database"]]
  }
}

locals {
  database_content = jsonencode({
    schemaVersion = "1.0"
    description   = "Forward a local port to the database of ${var.name}"
    sessionType   = "Port"

    parameters = {
      localPortNumber = {
        type           = "String"
        description    = "Port on the operator's machine; 0 takes a free one"
        allowedPattern = "^[0-9]{1,5}$"
        default        = "0"
      }
    }

    properties = {
      type            = "LocalPortForwarding"
      host            = var.database.address
      portNumber      = tostring(var.database.port)
      localPortNumber = "{{ localPortNumber }}"
    }
  })
}

# A shell, for the day when the way to the database itself is in question: every keystroke goes to the log as it is typed.
resource "aws_ssm_document" "shell" {
  name            = "${var.name}-shell"
  document_type   = "Session"
  document_format = "JSON"
  content         = local.shell_content

  lifecycle {
    replace_triggered_by = [terraform_data.content["shell"]]
  }
}

locals {
  shell_content = jsonencode({
    schemaVersion = "1.0"
    description   = "A logged shell on the bastion of ${var.name}"
    sessionType   = "Standard_Stream"

    inputs = {
      cloudWatchLogGroupName      = var.session_log_group.name
      cloudWatchEncryptionEnabled = true
      cloudWatchStreamingEnabled  = true
      s3BucketName                = ""
      s3KeyPrefix                 = ""
      s3EncryptionEnabled         = true
      kmsKeyId                    = var.key_arn
      idleSessionTimeout          = tostring(var.idle_minutes)
      maxSessionDuration          = tostring(var.longest_minutes)

      # Always as ssm-user, never as whom an operator asks for.
      runAsEnabled     = false
      runAsDefaultUser = ""
      shellProfile     = { linux = "", windows = "" }
    }
  })
}
