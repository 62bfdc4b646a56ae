"""Why a row of an AUTO CDC target looks as it does."""
