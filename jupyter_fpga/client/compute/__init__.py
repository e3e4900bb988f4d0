"""The compute floor from a script: actions, queues, workers and recordings."""
