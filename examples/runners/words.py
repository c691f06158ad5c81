import json
import sys

text = sys.stdin.read()
# such a line tells how far the work is; any other is a line of the task's log
print(json.dumps({"progress": {"percent": 50, "message": "counting"}}), file=sys.stderr)
print(f"{len(text)} characters", file=sys.stderr)
if not text.strip():
    sys.exit("there is nothing to count")
print(json.dumps({"words": len(text.split())}))
