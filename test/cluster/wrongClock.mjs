// The clock of this machine is an hour and a bit ahead.
const ahead = 3_700_000
const now = Date.now
const RealDate = Date
Date.now = () => now() + ahead
globalThis.Date = class extends RealDate {
  constructor(...args) {
    if (args.length === 0) super(now() + ahead)
    else super(...args)
  }
}
globalThis.Date.now = Date.now
