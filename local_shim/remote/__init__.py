"""A pipeline that is deployed to a workspace, through databricks-sdk."""
