output "function_name" {
  description = "Name of the function that asks for a page every minute."
  value       = aws_lambda_function.canary.function_name

  # An alarm that waits for its runs comes after what starts them.
  depends_on = [module.schedule]
}
