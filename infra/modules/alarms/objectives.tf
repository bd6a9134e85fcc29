# What learners are promised, once: the service level objectives (docs/explanation/service-level-objectives.md). The
# alarms of the row "objectives" tell when a promise is being used up too fast; a plan in which their numbers (table.tf)
# do not follow from what stands here is refused.
locals {
  # In percent over four weeks: as many weekends and evenings in every window.
  objective_days = 28

  objectives = {
    pages = {
      promise = "Of the minutes in which the canary asked for the first page, from outside, so many were answered in time."
      target  = 99.5
      why     = "Three hours and a half in four weeks. One server that is replaced by itself keeps it; 99.9 would want two that always run."
    }

    progress = {
      promise = "Of the reports of progress that the platform judged, so many were written down and acknowledged at the first asking."
      target  = 99.9
      why     = "What a learner has watched nobody can watch again for them. A browser sends again what failed: one in a thousand may have to."
    }
  }

  # What may fail, as a share of what is asked: the error budget.
  budget = { for name, told in local.objectives : name => (100 - told.target) / 100 }

  # The rates of Google's SRE Workbook (chapter 5, "Alerting on SLOs"); at 1 a budget lasts exactly its window.
  # Fast: a fiftieth of a month's budget within an hour. Slow: a tenth of ours within a day.
  burn_fast = 14.4
  burn_slow = 0.1 * local.objective_days

  # The number of each alarm that follows from it.
  burning = {
    # Minutes of the hour that may fail at the fast rate. They have to fall into twice as many: so both the workbook's
    # long window and its short one are met, and what is over soon stops ringing.
    pages-fast-burn = ceil(local.burn_fast * local.budget.pages * 60)
    # Minutes of a day.
    pages-slow-burn = ceil(local.burn_slow * local.budget.pages * 1440)
    # Percent lost in each of two periods of five minutes that spends, with both, what the hour may at the fast rate.
    progress-fast-burn = local.burn_fast * local.budget.progress * 100 * 12 / 2
    # Percent lost of a day.
    progress-slow-burn = local.burn_slow * local.budget.progress * 100
  }
}

# Each report of progress is one line of the platform's log. Kept: the answer tells what the store holds after it was
# written. Lost: the store or the platform failed, or the report was refused for good, upon which a browser drops it
# (400: after a lost signing key, or by a player that does not fit the release, these are all of them). Left out is what
# is the visitor's own: signed out, another account's, not enrolled, a lesson that is gone (401, 403, 404, 409).
resource "aws_cloudwatch_log_metric_filter" "progress" {
  for_each = {
    kept = "($.status = 200)"
    lost = "(($.status = 400) || ($.status >= 500))"
  }

  name           = "${var.name}-progress-${each.key}"
  log_group_name = var.application_log_group
  pattern        = "{ ($.route = \"/api/v1/progress/reports\") && ${each.value} }"

  metric_transformation {
    name      = "progress-reports-${each.key}"
    namespace = var.metrics_namespace
    value     = "1"
  }
}
