import { lookup } from "node:dns"
import { BlockList, isIP, type LookupFunction } from "node:net"

const blockListOf = (family: "ipv4" | "ipv6", subnets: ReadonlyArray<string>): BlockList => {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = "", bits = ""] = subnet.split("/")
    list.addSubnet(network, Number(bits), family)
  }
  return list
}

/** The IPv4 networks that no host on the internet has (IANA's register of special addresses), and multicast. */
const notPublic = blockListOf("ipv4", [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4"
])

/** All that is given out to hosts in IPv6; whatever else there is has another use. */
const unicast = blockListOf("ipv6", ["2000::/3"])

/** Parts of it that are kept for other uses, or carry an IPv4 address that the network would go on to. */
const special = blockListOf("ipv6", ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"])

/** IPv4 addresses as IPv6 writes them. */
const mapped = blockListOf("ipv6", ["::ffff:0:0/96"])

/** Whether an address is one of the internet, and not of this machine, this network or nowhere. */
export const isPublic = (address: string): boolean => {
  const [bare = ""] = address.split("%")
  if (isIP(bare) === 4) return !notPublic.check(bare, "ipv4")
  if (isIP(bare) !== 6) return false
  if (mapped.check(bare, "ipv6")) return !notPublic.check(bare, "ipv6")
  return unicast.check(bare, "ipv6") && !special.check(bare, "ipv6")
}

/** The code of the error when a name has no address that may be asked. */
export const refusedCode = "EPRIVATE"

/**
 * For `connect`: resolves a name as usual and gives only addresses of the internet. The connection is made to what is
 * given here, so a name that resolves to something else a moment later changes nothing.
 */
export const lookupPublic: LookupFunction = (hostname, options, callback) =>
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, "")
    const allowed = addresses.filter(({ address }) => isPublic(address))
    const [first] = allowed
    if (first === undefined) {
      const found = addresses.map(({ address }) => address).join(", ")
      const refused = new Error(`${hostname} is ${found}, which is no address of the internet`)
      return callback(Object.assign(refused, { code: refusedCode }), "")
    }
    return options.all === true ? callback(null, allowed) : callback(null, first.address, first.family)
  })
