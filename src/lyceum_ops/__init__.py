"""Operating Lyceum: what an engineer, or CodeBuild, runs against AWS. It knows no emulator, only an endpoint."""
