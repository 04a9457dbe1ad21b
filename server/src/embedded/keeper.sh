# Runs a server for as long as somebody holds it: `sh -c "$(this)" keeper HOLD SERVER ARGUMENT...`
#
# Standard input is the reading end of the named pipe HOLD. All who use the server have it open for
# writing, and the system closes it for them however they end: the end of the file is the word to stop.
# Says the server's process number.
hold=$1
shift
exec 3<&0
"$@" </dev/null >/dev/null 2>&1 3<&- &
server=$!
echo "$server"
{
  read -r _ <&3
  exec 3<&-
  rm -f "$hold"
  kill -TERM "$server"
  for _ in 1 2 3 4 5 6; do sleep 10; done >/dev/null 3<&-
  kill -KILL "$server"
} 2>/dev/null &
watch=$!
exec 3<&-
wait "$server"
status=$?
kill "$watch" 2>/dev/null
rm -f "$hold"
exit "$status"
