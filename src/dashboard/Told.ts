import type { RefObject } from "preact"
import { useContext, useEffect, useRef } from "preact/hooks"
import { Access } from "./Access.ts"

/** What the tab of the browser is called; undefined where somebody else says it. */
export const useTitle = (title: string | undefined): void => {
  const { environment } = useContext(Access)
  useEffect(() => {
    if (title === undefined) return
    document.title = [title, environment, "Venom"].filter((part) => part !== "").join(" · ")
  }, [title, environment])
}

/**
 * Where somebody goes to another view, its heading has the focus as soon as it is there, so that the keyboard goes on
 * from it and a screen reader reads it. Whatever in the view has taken the focus before keeps it.
 */
export const useHeading = (main: RefObject<HTMLElement | null>, view: string): void => {
  const isFirst = useRef(true)
  useEffect(() => {
    const place = main.current
    if (isFirst.current || place === null) {
      isFirst.current = false
      return
    }
    const watch = new MutationObserver(() => settle())
    const settle = () => {
      const heading = place.querySelector<HTMLElement>("h1")
      const isTaken = place.contains(document.activeElement)
      if (heading === null && !isTaken) return
      watch.disconnect()
      if (heading === null || isTaken) return
      heading.tabIndex = -1
      heading.focus({ preventScroll: true })
    }
    watch.observe(place, { childList: true, subtree: true })
    settle()
    return () => watch.disconnect()
  }, [view])
}
