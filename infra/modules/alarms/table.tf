# Every alarm, once. `severity` says what is asked of whoever hears it: "wake" means learners cannot learn, now; "look"
# means somebody should see to it on the next working day; "release" tells nobody: it is what an instance refresh looks
# at, where one bad minute is enough. `why` tells where the threshold comes from.
locals {
  balancer = { LoadBalancer = var.load_balancer_arn_suffix }
  target   = { LoadBalancer = var.load_balancer_arn_suffix, TargetGroup = var.target_group_arn_suffix }
  group    = { AutoScalingGroupName = var.group_name }
  database = { DBInstanceIdentifier = var.database_identifier }
  table    = { TableName = var.table_name }
  files    = { FileSystemId = var.file_system_id }
  purge    = { FunctionName = var.purge_function_name }
  vault    = { BackupVaultName = var.backup_vault_name }
  canary   = { FunctionName = try(var.canary.function_name, "") }

  # What the platform asks of its table: DynamoDB counts its own errors by operation.
  operations = ["GetItem", "Query", "UpdateItem"]

  table_of_alarms = {
    # ------------------------------------------------------------------------------------------------ objectives
    pages-fast-burn = {
      row       = "objectives"
      severity  = "wake"
      meaning   = "Seen from outside, the platform's first page does not come: at this rate the four weeks' budget is spent in two days."
      why       = "At 14.4 times the rate at which the budget lasts, an hour has room for less than five failed minutes. All five within ten: so it is now, and over as soon. Four wake nobody."
      when      = var.canary != null
      metrics   = { answered = { namespace = var.metrics_namespace, name = "pages-answered", stat = "Minimum", dimensions = {} } }
      rings     = "<"
      threshold = 1
      period    = 60
      periods   = 10
      at_least  = 5
    }

    pages-slow-burn = {
      row      = "objectives"
      severity = "look"
      meaning  = "Within a day a tenth was spent of what pages may fail in four weeks, in pieces too small to wake anybody."
      why      = "A tenth of the budget is twenty minutes; spent each day, it is gone in ten: time to find the cause by daylight."
      when     = var.canary != null
      # The canary's one metric: its samples are how often was asked, their sum is how often was answered.
      metrics = {
        asked    = { namespace = var.metrics_namespace, name = "pages-answered", stat = "SampleCount", dimensions = {} }
        answered = { namespace = var.metrics_namespace, name = "pages-answered", stat = "Sum", dimensions = {} }
      }
      expression = "asked - answered"
      rings      = ">="
      threshold  = 21
      period     = 86400
      periods    = 1
    }

    progress-fast-burn = {
      row      = "objectives"
      severity = "wake"
      meaning  = "Reports of learners' progress are not kept: at this rate the four weeks' budget is spent in two days."
      why      = "Two periods of five minutes that each lose so much spend, together, what an hour may at 14.4 times the rate at which the budget lasts. Below 20 lost reports it may be one browser."
      metrics = {
        kept = { namespace = var.metrics_namespace, name = "progress-reports-kept", stat = "Sum", dimensions = {} }
        lost = { namespace = var.metrics_namespace, name = "progress-reports-lost", stat = "Sum", dimensions = {} }
      }
      # Either is only reported when there are any.
      expression = "IF(FILL(lost, 0) >= 20, 100 * FILL(lost, 0) / (FILL(lost, 0) + FILL(kept, 0)), 0)"
      rings      = ">="
      threshold  = 8.64
      period     = 300
      periods    = 2
    }

    progress-slow-burn = {
      row      = "objectives"
      severity = "look"
      meaning  = "Within a day a tenth was spent of the reports that may fail in four weeks, a few at a time."
      why      = "At this rate the budget is gone in ten days. Of a whole day, because an hour of the night holds too few reports to tell."
      metrics = {
        kept = { namespace = var.metrics_namespace, name = "progress-reports-kept", stat = "Sum", dimensions = {} }
        lost = { namespace = var.metrics_namespace, name = "progress-reports-lost", stat = "Sum", dimensions = {} }
      }
      expression = "IF(FILL(lost, 0) >= 20, 100 * FILL(lost, 0) / (FILL(lost, 0) + FILL(kept, 0)), 0)"
      rings      = ">="
      threshold  = 0.28
      period     = 86400
      periods    = 1
    }

    canary-missing = {
      row      = "objectives"
      severity = "look"
      meaning  = "For a quarter of an hour nobody asked for a page from outside, or could tell: whether pages are answered is not known."
      why      = "It runs every minute; after a quarter of an hour none is late any more. What is not measured has not failed: it wakes nobody."
      when     = var.canary != null
      metrics = {
        runs   = { namespace = "AWS/Lambda", name = "Invocations", stat = "Sum", dimensions = local.canary }
        errors = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum", dimensions = local.canary }
      }
      # A page that did not come is no error of the function's; that it could not tell is.
      expression = "runs - FILL(errors, 0)"
      rings      = "<"
      threshold  = 1
      period     = 300
      periods    = 3
      # A function that nobody starts reports nothing.
      missing = "breaching"
    }

    # ------------------------------------------------------------------------------------------------ requests
    target-errors = {
      row      = "requests"
      severity = "wake"
      meaning  = "Of the requests that reach a server, more than a few end in an error of ours."
      why      = "A release that breaks one page in twenty is one to take back. Below 20 requests in five minutes a single error would be a rate."
      metrics = {
        errors   = { namespace = "AWS/ApplicationELB", name = "HTTPCode_Target_5XX_Count", stat = "Sum", dimensions = local.target }
        requests = { namespace = "AWS/ApplicationELB", name = "RequestCount", stat = "Sum", dimensions = local.target }
      }
      # A count of errors is only reported when there are any.
      expression = "IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)"
      rings      = ">="
      threshold  = var.thresholds.target_error_percent
      period     = 300
      periods    = 2
    }

    release-errors = {
      row      = "requests"
      severity = "release"
      meaning  = "In one minute of a release more than a few requests ended in an error, of a server or in its place."
      why      = "Five errors are no accident, and one minute is enough: to take a good release back costs minutes, to leave a bad one costs learners their lesson."
      metrics = {
        answered = { namespace = "AWS/ApplicationELB", name = "HTTPCode_Target_5XX_Count", stat = "Sum", dimensions = local.target }
        refused  = { namespace = "AWS/ApplicationELB", name = "HTTPCode_ELB_5XX_Count", stat = "Sum", dimensions = local.balancer }
        requests = { namespace = "AWS/ApplicationELB", name = "RequestCount", stat = "Sum", dimensions = local.target }
      }
      # Held against the requests, which come every minute: a count that is only reported when it is not zero would be
      # waited for, and an alarm on it alone decides minutes later.
      expression = "IF(FILL(answered, 0) + FILL(refused, 0) >= 5, 100 * (FILL(answered, 0) + FILL(refused, 0)) / requests, 0)"
      rings      = ">="
      threshold  = var.thresholds.target_error_percent
      period     = 60
      periods    = 1
    }

    balancer-errors = {
      row       = "requests"
      severity  = "look"
      meaning   = "The load balancer answers in a server's place: none took the request, or one hung up."
      why       = "A server that is replaced may cost a handful of requests; ten in five minutes, twice in a quarter of an hour, are no replacement."
      metrics   = { errors = { namespace = "AWS/ApplicationELB", name = "HTTPCode_ELB_5XX_Count", stat = "Sum", dimensions = local.balancer } }
      rings     = ">="
      threshold = 10
      period    = 300
      periods   = 3
      at_least  = 2
    }

    latency = {
      row      = "requests"
      severity = "look"
      meaning  = "One request in twenty waits longer for its page than a reader does without noticing."
      why      = "A page takes about 0.1 s of a server; a second is where people's attention leaves. A percentile of fewer than 20 requests says nothing, and CloudWatch's own care for few samples would want 200, and keep a ringing alarm ringing until they come."
      metrics = {
        latency  = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", stat = "p95", dimensions = local.target }
        requests = { namespace = "AWS/ApplicationELB", name = "TargetResponseTime", stat = "SampleCount", dimensions = local.target }
      }
      expression = "IF(requests >= 20, latency, 0)"
      rings      = ">="
      threshold  = var.thresholds.latency_seconds
      period     = 300
      periods    = 3
    }

    unhealthy-servers = {
      row       = "requests"
      severity  = "look"
      meaning   = "A server fails its health check and has not been replaced."
      why       = "A start takes some minutes and is no fault; a quarter of an hour is longer than a start and a replacement."
      metrics   = { unhealthy = { namespace = "AWS/ApplicationELB", name = "UnHealthyHostCount", stat = "Maximum", dimensions = local.target } }
      rings     = ">="
      threshold = 1
      period    = 60
      periods   = 15
    }

    no-healthy-server = {
      row       = "requests"
      severity  = "wake"
      meaning   = "No server is healthy: nobody reaches the platform."
      why       = "One at least, always. Two minutes, because one missed minute is the metric's, not the server's."
      metrics   = { healthy = { namespace = "AWS/ApplicationELB", name = "HealthyHostCount", stat = "Maximum", dimensions = local.target } }
      rings     = "<"
      threshold = 1
      period    = 60
      periods   = 2
      # A target group without targets reports nothing at all.
      missing = "breaching"
    }

    certificate-expiry = {
      row       = "requests"
      severity  = "look"
      meaning   = "The certificate ends soon and AWS has not renewed it: its validation record may be gone from DNS."
      why       = "AWS renews 60 days before the end; at 21 it has failed for weeks, and three are left to mend it."
      when      = var.certificate != null
      metrics   = { days = { namespace = "AWS/CertificateManager", name = "DaysToExpiry", stat = "Minimum", dimensions = { CertificateArn = try(var.certificate.arn, "") } } }
      rings     = "<="
      threshold = 21
      period    = 86400
      periods   = 1
      # Told twice a day: a day without it changes nothing.
      missing = "ignore"
    }

    # ------------------------------------------------------------------------------------------------ servers
    group-at-max = {
      row      = "servers"
      severity = "look"
      meaning  = "The group has been at its largest for hours: it may want to grow and cannot."
      why      = "A lesson's rush is over in an hour; what lasts three is growth."
      # Of one server at most, the largest is the ordinary.
      when      = var.group_max > 1
      metrics   = { servers = { namespace = "AWS/AutoScaling", name = "GroupInServiceInstances", stat = "Minimum", dimensions = local.group } }
      rings     = ">="
      threshold = var.group_max
      period    = 900
      periods   = 12
    }

    cpu-credits = {
      row       = "servers"
      severity  = "look"
      meaning   = "A server lives on credits that it has not earned (t2 unlimited): soon each is paid for."
      why       = "A t2.micro earns 144 credits a day and may owe as many; at half of that there is time to act."
      metrics   = { owed = { namespace = "AWS/EC2", name = "CPUSurplusCreditBalance", stat = "Maximum", dimensions = local.group } }
      rings     = ">="
      threshold = var.thresholds.surplus_credits
      period    = 300
      periods   = 3
    }

    server-memory = {
      row       = "servers"
      severity  = "look"
      meaning   = "A server is nearly out of memory, and scaling out has not helped: a leak, or too small a type."
      why       = "The group scales on memory far below; beyond 90 % of 1 GiB the kernel begins to end processes."
      metrics   = { memory = { namespace = var.metrics_namespace, name = "mem_used_percent", stat = "Maximum", dimensions = local.group } }
      rings     = ">="
      threshold = var.thresholds.memory_percent
      period    = 300
      periods   = 3
    }

    release-memory = {
      row       = "servers"
      severity  = "release"
      meaning   = "During a release a server is nearly out of memory: the release leaks, or needs more than there is."
      why       = "An idle server uses about half of 1 GiB and the group grows at 70 %; what comes to 85 within minutes of its start has no hours left."
      metrics   = { memory = { namespace = var.metrics_namespace, name = "mem_used_percent", stat = "Maximum", dimensions = local.group } }
      rings     = ">="
      threshold = var.thresholds.release_memory_percent
      period    = 60
      periods   = 1
    }

    server-disk = {
      row       = "servers"
      severity  = "look"
      meaning   = "A server's disk fills up: logs that are not turned over, or uploads that stay."
      why       = "A server holds nothing that grows; a release takes some percent, so that a fifth must stay free."
      metrics   = { disk = { namespace = var.metrics_namespace, name = "disk_used_percent", stat = "Maximum", dimensions = local.group } }
      rings     = ">="
      threshold = var.thresholds.disk_percent
      period    = 300
      periods   = 3
    }

    application-errors = {
      row       = "servers"
      severity  = "look"
      meaning   = "The platform logs errors: something fails for people, or in the background where nobody sees it."
      why       = "A visitor's mistake is not logged as an error; five in five minutes are no accident."
      metrics   = { errors = { namespace = var.metrics_namespace, name = "application-errors", stat = "Sum", dimensions = {} } }
      rings     = ">="
      threshold = var.thresholds.application_errors
      period    = 300
      periods   = 1
    }

    # ------------------------------------------------------------------------------------------------ database
    database-cpu = {
      row       = "database"
      severity  = "look"
      meaning   = "The database is busy without a pause: a query without an index, or too small a class."
      why       = "Above 80 % queries begin to wait for each other; a backup or a report is over in half an hour."
      metrics   = { cpu = { namespace = "AWS/RDS", name = "CPUUtilization", stat = "Average", dimensions = local.database } }
      rings     = ">="
      threshold = var.thresholds.database_cpu_percent
      period    = 300
      periods   = 6
    }

    database-connections = {
      row       = "database"
      severity  = "look"
      meaning   = "Nearly all of the database's connections are taken: the next server or operator may find none."
      why       = "1 GiB allows about 110 (memory / 9,531,392 bytes, less RDS's own); two servers and a release need some 30."
      metrics   = { connections = { namespace = "AWS/RDS", name = "DatabaseConnections", stat = "Maximum", dimensions = local.database } }
      rings     = ">="
      threshold = var.thresholds.database_connections
      period    = 300
      periods   = 2
    }

    database-storage = {
      row       = "database"
      severity  = "wake"
      meaning   = "The database is about to run out of storage, and then it stops."
      why       = "Storage grows by itself once a tenth is free, 2 GiB of 20; half of that is only reached when growing failed or is at its end."
      metrics   = { free = { namespace = "AWS/RDS", name = "FreeStorageSpace", stat = "Minimum", dimensions = local.database } }
      rings     = "<="
      threshold = var.thresholds.database_free_storage_gib * pow(1024, 3)
      period    = 300
      periods   = 2
    }

    database-memory = {
      row       = "database"
      severity  = "look"
      meaning   = "The database has hardly any memory left and will begin to swap."
      why       = "On 1 GiB about 200 MiB are free at work; below 64 MiB RDS swaps, and everything becomes slow."
      metrics   = { free = { namespace = "AWS/RDS", name = "FreeableMemory", stat = "Average", dimensions = local.database } }
      rings     = "<="
      threshold = var.thresholds.database_free_memory_mib * pow(1024, 2)
      period    = 300
      periods   = 3
    }

    # ------------------------------------------------------------------------------------------------ stores
    progress-throttles = {
      row      = "stores"
      severity = "look"
      meaning  = "DynamoDB slows learners' progress down: more at once than a partition takes."
      why      = "A client's retry hides a few; ten in five minutes, three times, are a hot key."
      metrics = {
        reads  = { namespace = "AWS/DynamoDB", name = "ReadThrottleEvents", stat = "Sum", dimensions = local.table }
        writes = { namespace = "AWS/DynamoDB", name = "WriteThrottleEvents", stat = "Sum", dimensions = local.table }
      }
      expression = "FILL(reads, 0) + FILL(writes, 0)"
      rings      = ">="
      threshold  = 10
      period     = 300
      periods    = 3
    }

    progress-errors = {
      row      = "stores"
      severity = "look"
      meaning  = "DynamoDB itself fails: learners' progress is kept by their browser until it works again."
      why      = "AWS promises 99.99 %; five in five minutes, twice, are a fault that its status page should name."
      metrics = {
        for operation in local.operations : lower(operation) => {
          namespace = "AWS/DynamoDB", name = "SystemErrors", stat = "Sum", dimensions = merge(local.table, { Operation = operation })
        }
      }
      expression = join(" + ", [for operation in local.operations : "FILL(${lower(operation)}, 0)"])
      rings      = ">="
      threshold  = 5
      period     = 300
      periods    = 2
    }

    # No burst credits: throughput is elastic and has none.
    files-io = {
      row       = "stores"
      severity  = "look"
      meaning   = "The shared files are near the number of operations that the file system takes."
      why       = "At the limit every read waits; at 80 % there is time to find who reads so much."
      metrics   = { limit = { namespace = "AWS/EFS", name = "PercentIOLimit", stat = "Maximum", dimensions = local.files } }
      rings     = ">="
      threshold = 80
      period    = 300
      periods   = 3
    }

    # ------------------------------------------------------------------------------------------------ upkeep
    backup-failed = {
      row      = "upkeep"
      severity = "look"
      meaning  = "A weekly backup was not made: the last recovery point is a week older than it should be."
      why      = "One is one too many: the next would be in a week."
      metrics = {
        failed  = { namespace = "AWS/Backup", name = "NumberOfBackupJobsFailed", stat = "Sum", dimensions = local.vault }
        aborted = { namespace = "AWS/Backup", name = "NumberOfBackupJobsAborted", stat = "Sum", dimensions = local.vault }
        expired = { namespace = "AWS/Backup", name = "NumberOfBackupJobsExpired", stat = "Sum", dimensions = local.vault }
      }
      expression = "FILL(failed, 0) + FILL(aborted, 0) + FILL(expired, 0)"
      rings      = ">="
      threshold  = 1
      period     = 3600
      periods    = 1
    }

    purge-failed = {
      row       = "upkeep"
      severity  = "look"
      meaning   = "The hourly purge left logs that are older than two days."
      why       = "It retries by itself within the hour; what remains is a fault."
      metrics   = { errors = { namespace = "AWS/Lambda", name = "Errors", stat = "Sum", dimensions = local.purge } }
      rings     = ">="
      threshold = 1
      period    = 3600
      periods   = 1
    }

    purge-missing = {
      row       = "upkeep"
      severity  = "look"
      meaning   = "The hourly purge did not run for two hours: its schedule is gone, or may not start it."
      why       = "It runs every hour; one late run is AWS's, two are ours."
      metrics   = { runs = { namespace = "AWS/Lambda", name = "Invocations", stat = "Sum", dimensions = local.purge } }
      rings     = "<"
      threshold = 1
      period    = 3600
      periods   = 2
      # A function that nobody starts reports nothing.
      missing = "breaching"
    }
  }

  # What an entry may leave out: an expression, how many of its periods must be bad (all), what silence means (good).
  alarms = {
    for alarm, told in local.table_of_alarms : alarm => {
      row        = told.row
      severity   = told.severity
      meaning    = told.meaning
      why        = told.why
      metrics    = told.metrics
      expression = try(told.expression, null)
      rings      = told.rings
      threshold  = told.threshold
      period     = told.period
      periods    = told.periods
      datapoints = try(told.at_least, told.periods)
      missing    = try(told.missing, "notBreaching")
    } if try(told.when, true)
  }
}
