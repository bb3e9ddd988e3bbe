'use strict'

const { posix: path } = require('path')

// The address of a page of the site as seen from the page that is being written.
module.exports = (to, { data: { root } }) => {
  if (!to || to.charAt() !== '/') return to
  const [target, fragment] = to.split('#')
  const from = root.page.url
  const relative = path.relative(path.dirname(from + '.'), target)
  const address = relative ? relative + (target.endsWith('/') ? '/' : '') : target === from ? path.basename(target) : './'
  return fragment ? address + '#' + fragment : address
}
