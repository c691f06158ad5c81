# A day with Venom from the terminal. `venom` is on the PATH, VENOM_URL says where the service is.
set -eu

# one task, and its result
venom submit 'resize image 1' --type images --wait

# three hundred more: after an interruption the same command goes on where it was
for n in $(seq 300); do echo "{\"content\":\"resize image $n\",\"type\":\"images\",\"tags\":[\"morning\"]}"; done > images.jsonl
venom submit --file images.jsonl > ids.txt
venom wait $(cat ids.txt) > ended.txt
grep -c COMPLETED ended.txt

# something is wrong with the images: hold them, and ask why one does not run
venom pause images > /dev/null
held=$(venom submit 'resize image 301' --type images)
venom why "$held" | head -n 1
if venom wait "$held" --timeout '1 second' > /dev/null 2>&1; then exit 1; else echo "not done: exit code $?"; fi

# nobody needs it any more; one that is cancelled may be given another attempt
venom cancel "$held" > /dev/null
venom get "$held" --json | grep -o '"reason": *"[a-z]*"'
venom resume images > /dev/null
venom retry "$held" > /dev/null
venom wait "$held" > /dev/null
venom logs "$held" | tail -n 1 | cut -d ' ' -f 2-

# each night, without you
echo '{"cron":"0 3 * * *","time_zone":"Europe/Berlin","task":{"content":"report","type":"reports"}}' |
  venom schedules put nightly > /dev/null
venom schedules list | cut -f 1,2

# how it stands, for a script
venom queue --json | grep -o '"paused": *[a-z]*' | head -n 1
venom list --tag morning --limit 500 | wc -l | tr -d ' '

# tidy up
venom schedules delete nightly > /dev/null
venom delete --tag morning --status COMPLETED --yes
