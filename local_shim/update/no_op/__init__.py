"""Updates that have nothing to do, found out before Spark starts."""
