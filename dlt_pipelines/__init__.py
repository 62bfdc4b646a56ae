"""The insurance pipeline: bronze keeps what arrived, silver what is true, gold what it means."""
