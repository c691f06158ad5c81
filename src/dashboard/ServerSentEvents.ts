/** One event of the stream; its data is JSON that is read by those who want it. */
export interface ServerEvent {
  readonly event: string
  readonly data: string
}

/** What is left of the stream when it is cut, and the place to come back to. */
export interface Reader {
  readonly lastEventId: string
  /** Takes a piece of the stream: the events that it completes. */
  readonly take: (text: string) => ReadonlyArray<ServerEvent>
}

/** Reads an event stream as https://html.spec.whatwg.org/multipage/server-sent-events.html says. */
export const reader = (lastEventId: string): Reader => {
  let rest = ""
  let id = lastEventId
  let event = ""
  let data: Array<string> = []
  return {
    get lastEventId() {
      return id
    },
    take: (text) => {
      const lines = (rest + text).split("\n")
      rest = lines.pop() ?? ""
      const events: Array<ServerEvent> = []
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) events.push({ event, data: data.join("\n") })
          event = ""
          data = []
        } else if (line.startsWith("id: ")) id = line.slice(4)
        else if (line.startsWith("event: ")) event = line.slice(7)
        else if (line.startsWith("data: ")) data.push(line.slice(6))
      }
      return events
    }
  }
}
