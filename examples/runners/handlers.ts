import type { Handlers } from "venom"

const isPrime = (n: number): boolean => {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false
  return n > 1
}

export default {
  primes: ({ content }, { log, progress }) => {
    const limit = Number(content)
    if (!Number.isSafeInteger(limit)) {
      throw Object.assign(new Error(`${content} is no whole number`), { retryable: false })
    }
    let primes = 0
    for (let n = 2; n <= limit; n++) {
      if (isPrime(n)) primes++
      if (n % 50_000 === 0) progress((100 * n) / limit, `${primes} so far`)
    }
    log(`looked at ${limit} numbers`)
    return { limit, primes }
  }
} satisfies Handlers
