// An OTLP/HTTP receiver that takes everything: writes its port to a file, and a line for each request (path, bytes).
import { appendFileSync, renameSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'

const [directory] = process.argv.slice(2)
const server = createServer((request, response) => {
  let bytes = 0
  request.on('data', (chunk) => {
    bytes += chunk.length
  })
  request.on('end', () => {
    appendFileSync(`${directory}/requests`, `${request.url} ${bytes}\n`)
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
})
server.listen(0, '127.0.0.1', () => {
  writeFileSync(`${directory}/port.new`, String(server.address().port))
  renameSync(`${directory}/port.new`, `${directory}/port`)
})
