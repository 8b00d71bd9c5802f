/** Start of the page: takes the embedded profile and shows it, or follows the agent that serves it, or says why it cannot. */
import { PAGE_IDS } from '../formats/html.ts'
import { App } from './app.ts'
import { loadEmbedded } from './data/load.ts'
import { LivePage } from './live.ts'
import './style.css'
import { element } from './views/dom.ts'

async function start(): Promise<void> {
  const holder = document.getElementById(PAGE_IDS.app)!
  holder.replaceChildren(element('p', { class: 'state' }, 'Opening the profile…'))
  const notices = document.getElementById(PAGE_IDS.notices)?.textContent ?? ''
  if (holder.hasAttribute('data-live')) return new LivePage(holder, notices).start()
  try {
    const profile = await loadEmbedded(document)
    new App(profile, notices).mount(holder)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    const heading = element('h1', {}, 'This profile cannot be shown')
    holder.replaceChildren(
      element('div', { class: 'state', role: 'alert' }, heading, element('p', {}, reason)),
    )
    performance.mark('emberscope-failed')
    return
  }
  performance.mark('emberscope-drawn')
  // A frame later it is on the screen as well.
  requestAnimationFrame(() => setTimeout(() => performance.mark('emberscope-painted'), 0))
}

void start()
