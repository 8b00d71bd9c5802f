/**
 * At most so many connections, and a probe gets through even when somebody holds all of them open: the newest takes the place
 * of the one that has waited longest without a request being answered. Node's own `maxConnections` turns away the newest.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/** Holds for all connections of `server` from now on. */
export function limitConnections(server: Server, most: number): void {
  const open = new Set<Socket>()
  const answering = new Map<Socket, number>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    if (open.size <= most) return
    for (const candidate of open)
      if (!answering.has(candidate)) {
        candidate.destroy()
        return
      }
  })
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    answering.set(socket, (answering.get(socket) ?? 0) + 1)
    response.once('close', () => {
      const left = answering.get(socket)! - 1
      if (left > 0) answering.set(socket, left)
      else answering.delete(socket)
    })
  })
}
