/** The page's one script. The document runs it as the page, and gives the same text to a worker, where it answers the page. */
import { startPage } from './page.ts'
import { startWorker } from './worker.ts'

if (typeof document === 'undefined') startWorker(self)
else void startPage(document.currentScript?.textContent ?? '')
