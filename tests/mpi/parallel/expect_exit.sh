# expect_exit.sh CODE TIMES PATTERN COMMAND...: runs the command and checks its exit code and how
# many lines of its output match the pattern.
expected_code=$1 expected_times=$2 pattern=$3
shift 3
output=$("$@" 2>&1)
code=$?
times=$(printf '%s\n' "$output" | grep -c -e "$pattern")
[ "$code" -eq "$expected_code" ] && [ "$times" -eq "$expected_times" ] && exit 0
printf 'exit code %s (expected %s), %s lines with "%s" (expected %s) in:\n%s\n' \
  "$code" "$expected_code" "$times" "$pattern" "$expected_times" "$output"
exit 1
