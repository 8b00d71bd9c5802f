/** The page's script: what the document runs. */
import { startPage } from './page.ts'

void startPage()
