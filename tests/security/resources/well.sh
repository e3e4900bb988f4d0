# A program that does what programs do: computes, starts another, writes a file.
echo $((6 * 7))
/bin/echo started
echo written > file
cat file
