"""Delivery on one machine: the pipeline that infra/ declares, run by the buildspecs that CodeBuild runs.

buildspec.py   one buildspec, phase by phase, as CodeBuild does it
pipeline.py    the stages and actions of the declared pipeline, artifacts and variables handed from one to the next
"""
