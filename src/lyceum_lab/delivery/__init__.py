"""Delivery on one machine: the pipeline that infra/ declares, run by the buildspecs that CodeBuild runs.

buildspec.py   one buildspec, phase by phase, as CodeBuild does it
workshop.py    a clean clone, and releases that are made in one
pipeline.py    the stages and actions of the declared pipeline, artifacts and variables handed from one to the next
"""
