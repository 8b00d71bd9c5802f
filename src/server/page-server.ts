/**
 * One page on 127.0.0.1 for `profile open`: a random port, a random token in the path, nothing else behind it.
 *
 * A profile tells what runs on a host, so other users and web sites must not read it: without the token there is
 * nothing, and a request that came by another host name (DNS rebinding) is refused.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AgentError } from '../errors.ts'

/** A page being served; `close` ends open connections too and may be called twice. */
export interface PageServer {
  readonly url: string
  close(): Promise<void>
}

const TOKEN_BYTES = 24

/**
 * Serves an HTML text until closed, on `wantedPort` or (0) any free one. Errors: AgentError `internal` when the port
 * cannot be opened on 127.0.0.1.
 */
export async function servePage(html: string, wantedPort = 0): Promise<PageServer> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const page = Buffer.from(html)
  const headers = securityHeaders(html)
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8192 })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `cannot serve the page on 127.0.0.1: ${cause.message}; name another --port`
      reject(new AgentError('usage', message, { cause }))
    })
    server.listen(wantedPort, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const path = `/${token}/`
  server.on('request', (request, response) => answer(request, response, { page, headers, path, port }))
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => {
    closing ??= new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
    return closing
  }
  return { url: `http://127.0.0.1:${port}${path}`, close }
}

interface Served {
  page: Buffer
  headers: Record<string, string>
  path: string
  port: number
}

function answer(request: IncomingMessage, response: ServerResponse, served: Served): void {
  for (const [name, value] of Object.entries(served.headers)) response.setHeader(name, value)
  const hosts = [`127.0.0.1:${served.port}`, `localhost:${served.port}`]
  if (!hosts.includes(request.headers.host ?? '')) end(response, 403, 'wrong host\n')
  else if (!isSamePath(request.url ?? '', served.path)) end(response, 404, 'not found\n')
  else if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD')
    end(response, 405, 'method not allowed\n')
  } else {
    const length = served.page.length
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': length })
    response.end(request.method === 'HEAD' ? undefined : served.page)
  }
}

/** What the page's own policy cannot say from inside the document, and the policy again, for what precedes it. */
function securityHeaders(html: string): Record<string, string> {
  const inside = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html.slice(0, 4096))?.[1]
  return {
    'content-security-policy': `${inside ?? "default-src 'none'"}; frame-ancestors 'none'`,
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  }
}

/** Compares in a time that doesn't tell how much of a guess was right. */
function isSamePath(url: string, path: string): boolean {
  const [asked, wanted] = [Buffer.from(url.split('?')[0]!), Buffer.from(path)]
  return asked.length === wanted.length && timingSafeEqual(asked, wanted)
}

function end(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(text)
}
