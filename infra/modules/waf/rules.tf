# Which of AWS's rules are asked, and which of them only count. About 1,200 capacity units in all; beyond 1,500 AWS
# charges more a request.
locals {
  managed_groups = [
    # Addresses that Amazon knows as attackers'. Not the list of anonymous addresses: learners use VPNs.
    { name = "ip-reputation", group = "AWSManagedRulesAmazonIpReputationList", counted = [] },
    { name = "common", group = "AWSManagedRulesCommonRuleSet", counted = keys(local.counted_common) },
    { name = "known-bad-inputs", group = "AWSManagedRulesKnownBadInputsRuleSet", counted = [] },
    { name = "sql-injection", group = "AWSManagedRulesSQLiRuleSet", counted = keys(local.counted_sql) },
  ]

  # Rules that look at bodies → the label they leave (AWS writes the two differently). A managed rule can block
  # everywhere or count everywhere, so these count, and the rule "body" blocks by the label where nobody writes lessons.
  #
  # Why an editor cannot live with them: Markdown with HTML in it is cross-site scripting to them, a lesson that shows
  # ../../etc/passwd an inclusion, one with http://169.254.169.254 or http://192.0.2.1 a request forgery, one with
  # SELECT an injection; and a lesson may be 32 KiB long, an import longer. They would refuse a course about computers.
  # On these paths only people who may edit a course, or share a file in one, get past the sign-in; the platform cleans
  # Markdown before it shows it, never shows a shared file and binds every parameter of its SQL. Known bad inputs stay blocked there too: no form needs them.
  counted_common = {
    # Over 8 KB: the load balancer hands no more of a body to the rules, so what comes after is not looked at.
    SizeRestrictions_BODY   = "awswaf:managed:aws:core-rule-set:SizeRestrictions_Body"
    CrossSiteScripting_BODY = "awswaf:managed:aws:core-rule-set:CrossSiteScripting_Body"
    EC2MetaDataSSRF_BODY    = "awswaf:managed:aws:core-rule-set:EC2MetaDataSSRF_Body"
    GenericLFI_BODY         = "awswaf:managed:aws:core-rule-set:GenericLFI_Body"
    GenericRFI_BODY         = "awswaf:managed:aws:core-rule-set:GenericRFI_Body"
  }

  counted_sql = {
    SQLi_BODY                 = "awswaf:managed:aws:sql-database:SQLi_Body"
    SQLiExtendedPatterns_BODY = "awswaf:managed:aws:sql-database:SQLiExtendedPatterns_Body"
  }

  body_labels = concat(values(local.counted_common), values(local.counted_sql))

  # What is a path here: "/" alone would lift the rules everywhere, and so would a pattern.
  path_pattern = "^(/[A-Za-z0-9._-]+)+/$"

  # One pattern for all prefixes: WAF has no list of one in an "or". A dot is the only sign in them that means more.
  large_body_regex = "^(?:${join("|", [for path in var.large_body_paths : replace(path, ".", "\\.")])})"
}
