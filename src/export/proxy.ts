/** Proxies of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY; lower case too) or of the configuration. */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { AgentError } from '../errors.ts'

const ANSWER_BYTES_MAX = 16 * 1024
const ANSWER_TIMEOUT_MS = 30_000

export interface ProxyServer {
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
  /** Basic, from the URL's user info; null without. */
  readonly authorization: string | null
  /** `user:password`, decoded. */
  readonly userInfo: string | null
}

interface Place {
  readonly isSecure: boolean
  readonly host: string
  readonly port: number
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy on the way to `target`: `configured`, or that of the environment when it is null; null = none. Errors:
 * AgentError `usage` for a proxy that is no URL.
 */
export function proxyFor(
  target: Place,
  configured: string | null,
  environment: Environment,
): ProxyServer | null {
  const variable = target.isSecure ? 'HTTPS_PROXY' : 'HTTP_PROXY'
  const of = (name: string) => environment[name.toLowerCase()] || environment[name] || ''
  if (configured === null && isExempt(target, of('NO_PROXY'))) return null
  const text = configured ?? (of(variable) || of('ALL_PROXY'))
  return text === '' ? null : parseProxy(text, configured === null ? variable : 'proxy')
}

function parseProxy(text: string, source: string): ProxyServer {
  let url: URL
  try {
    url = new URL(/^[a-z][\w+.-]*:\/\//i.test(text) ? text : `http://${text}`)
  } catch {
    throw new AgentError('usage', `${source} is no URL of a proxy; write http://host:3128`)
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new AgentError(
      'usage',
      `${source} names a ${url.protocol} proxy; only http: and https: are supported`,
    )
  }
  const isSecure = url.protocol === 'https:'
  const pair = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  const userInfo = pair === ':' ? null : pair
  return {
    isSecure,
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: Number(url.port) || (isSecure ? 443 : 80),
    authorization: userInfo === null ? null : `Basic ${Buffer.from(userInfo).toString('base64')}`,
    userInfo,
  }
}

/** NO_PROXY: a list of hosts (and what is below them), addresses, CIDR ranges of IPv4, each with or without port, or `*`. */
function isExempt({ host, port }: Place, list: string): boolean {
  const name = host.toLowerCase()
  if (name === 'localhost' || name === '::1' || /^127\./.test(name)) return true
  return list.split(/[\s,]+/).some((entry) => {
    const [, pattern = '', wantedPort] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(entry.toLowerCase()) ?? []
    if (pattern === '' || (wantedPort !== undefined && isIP(entry) === 0 && Number(wantedPort) !== port))
      return false
    if (pattern === '*' || isInRange(name, pattern) || name === entry.toLowerCase()) return true
    const domain = pattern.replace(/^\*?\./, '')
    return name === domain || (isIP(name) === 0 && name.endsWith(`.${domain}`))
  })
}

function isInRange(address: string, range: string): boolean {
  const [, base = '', bits = ''] = /^([\d.]+)\/(\d+)$/.exec(range) ?? []
  if (isIP(address) !== 4 || isIP(base) !== 4 || Number(bits) > 32) return false
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  return Math.floor(number(address) / size) === Math.floor(number(base) / size)
}

/** A connection to `target` through the proxy (CONNECT). Errors: those of the network; a refusal names the proxy's status. */
export function tunnel(proxy: ProxyServer, target: Place): Promise<Socket> {
  const { host, port } = proxy
  const socket = proxy.isSecure
    ? connectTls({ host, port, servername: isIP(host) ? '' : host })
    : connectTcp(port, host)
  const authority = `${isIP(target.host) === 6 ? `[${target.host}]` : target.host}:${target.port}`
  const authorization = proxy.authorization === null ? '' : `Proxy-Authorization: ${proxy.authorization}\r\n`
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${authorization}\r\n`)
  return new Promise((resolve, reject) => {
    let answer = Buffer.alloc(0)
    const end = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    const read = (part: Buffer) => {
      answer = Buffer.concat([answer, part])
      const headEnd = answer.indexOf('\r\n\r\n')
      if (headEnd < 0)
        return answer.length > ANSWER_BYTES_MAX ? end(new Error('the proxy answers garbage')) : undefined
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer.toString('latin1', 0, headEnd))?.[1]
      if (status?.[0] !== '2') return end(new Error(`the proxy answers CONNECT with ${status ?? 'garbage'}`))
      socket.off('data', read).off('error', end).off('close', onClose)
      socket.setTimeout(0)
      socket.pause()
      if (answer.length > headEnd + 4) socket.unshift(answer.subarray(headEnd + 4))
      resolve(socket)
    }
    const onClose = () => end(new Error('the proxy closed the connection'))
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(new Error('the proxy does not answer')))
    socket.on('data', read).on('error', end).on('close', onClose)
  })
}
