"""The doors: thin tornado handlers, authentication and the API's schemas."""
