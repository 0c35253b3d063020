/**
 * The shell script that owns a private Redis. It runs in a session of its own, so that Ctrl-C in the parent's
 * terminal does not reach Redis before the parent has shut down in order. Its standard input is a pipe whose
 * other end only the parent holds: however the parent ends, SIGKILL included, the kernel closes that end, `read`
 * returns, and Redis is killed. Nothing is lost by SIGKILL, since the server keeps no data, and it also ends a
 * server that a test has frozen.
 *
 * Arguments: the private folder, the library path (may be empty), the server's name in that folder, then the
 * server's own arguments. Prints the server's pid on a line, and when the server has ended, the last of its output.
 * Exits when the server and the folder are gone.
 *
 * Redis is a direct child that only the main shell reaps, so the reader cannot hit a stranger under a recycled
 * pid. The reader cleans up too, for the case that the main shell was killed.
 */
export const watchdogScript = `
trap '' INT TERM HUP PIPE
exec 3<&0
home=$1 libraries=$2 name=$3
shift 3
(
  if [ -n "$libraries" ]; then
    export LD_LIBRARY_PATH="$libraries\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
  exec "$home/$name" "$@"
) </dev/null >"$home/output.log" 2>&1 3<&- &
redis=$!
(
  read -r _
  kill -KILL "$redis" 2>/dev/null
  rm -rf "$home"
) <&3 >/dev/null 2>&1 &
reader=$!
exec 3<&-
echo "$redis"
wait "$redis"
kill -KILL "$reader" 2>/dev/null
tail -n 20 "$home/output.log" 2>/dev/null
rm -rf "$home"
`
