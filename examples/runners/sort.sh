# the content comes on stdin, what goes to stdout is the result
echo "attempt $VENOM_ATTEMPT of task $VENOM_TASK_ID" >&2
sort $ORDER
