// Preloaded into a command under test: an exception that nobody catches, once it is busy.
setTimeout(() => {
  throw new Error('on purpose')
}, 2500)
