"""The pages of a household, behind the ingress of its Home Assistant."""
