"""The state of an AUTO CDC target, which its rows cannot show: sequences and tombstones."""
