output "project" {
  description = "Name of the project that the pipeline starts."
  value       = aws_codebuild_project.this.name
}
