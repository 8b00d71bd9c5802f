/** Start of the page: shows the embedded profile, or follows the agent that serves it, or says why it cannot. */
import { PAGE_IDS } from '../formats/html.ts'
import { INITIAL_STATE, type ViewState } from '../view/state.ts'
import { App } from './app.ts'
import { embedded, embeddedPreview } from './data/load.ts'
import { nextPaint, nextTurn } from './data/turn.ts'
import { Link } from './link.ts'
import { LivePage } from './live.ts'
import type { Ask } from './session.ts'
import './style.css'
import { element } from './views/dom.ts'

/** Starts the page. */
export async function startPage(): Promise<void> {
  let link: Link | null = null
  const ask: Ask = (request) => {
    // A worker is not started before what can be seen without one.
    link ??= new Link(document.getElementById(PAGE_IDS.worker)?.textContent ?? '')
    return link.ask(request)
  }
  const holder = document.getElementById(PAGE_IDS.app)!
  const notices = document.getElementById(PAGE_IDS.notices)?.textContent ?? ''
  if (holder.hasAttribute('data-live')) return new LivePage(holder, ask, notices).start()
  holder.replaceChildren(element('p', { class: 'state' }, 'Opening the profile…'))
  await nextTurn()
  const preview = embeddedPreview()
  await nextTurn()
  const app = new App(holder, ask, notices)
  try {
    if (preview !== null && isInitial(app.state)) {
      app.previewOpened(preview.opened)
      await nextTurn()
      app.previewLaid()
      await nextTurn()
      app.previewShown(preview.shown)
      await nextPaint()
      app.previewListed(preview.listed)
      await nextTurn()
    }
    await wholeDocument()
    await openEmbedded(app, ask)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    sayState(holder, 'alert', 'This profile cannot be shown', reason)
    performance.mark('emberscope-failed')
  }
}

/** Opens what the page brings: a profile, and with a comparison the one before. */
async function openEmbedded(app: App, ask: Ask): Promise<void> {
  const [bytes, before] = [embedded(PAGE_IDS.profile), embedded(PAGE_IDS.baseline)]
  if (bytes === null) throw new Error('this page holds no profile; drop a profile file onto it to see one')
  const opened = await ask({ do: 'open', bytes, name: '', role: 'profile' })
  if (before === null) return app.open(opened)
  app.openCompared(await ask({ do: 'open', bytes: before, name: '', role: 'baseline' }))
}

/** The profile stands behind the script. */
function wholeDocument(): Promise<void> {
  return new Promise((done) => {
    if (document.readyState !== 'loading') done()
    else document.addEventListener('DOMContentLoaded', () => done(), { once: true })
  })
}

function isInitial(state: ViewState): boolean {
  return JSON.stringify(state) === JSON.stringify(INITIAL_STATE)
}

function sayState(holder: HTMLElement, role: string, heading: string, text: string): void {
  const words = [element('h1', {}, heading), element('p', {}, text)]
  holder.replaceChildren(element('div', { class: 'state', role }, ...words))
}
