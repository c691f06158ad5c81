/** The names of this machine that every `Host` header may carry, as they stand there. */
export const loopbackNames = ["localhost", "127.0.0.1", "[::1]"]

/** Whether a host, as it is written in a setting, can be reached from this machine alone. */
export const isLoopback = (host: string): boolean =>
  loopbackNames.includes(host) || host === "::1" || /^127(\.\d+){3}$/.test(host)
