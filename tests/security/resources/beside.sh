# Is there, with something that nobody else is to know.
pwd
exec sleep 1000
