/** The worker's script, which the page holds as a text: compiling it is no part of the page's start. */
import { startWorker } from './worker.ts'

startWorker(self)
