// What the theme leaves without a name, or out of a keyboard's reach.
function name() {
  document.querySelector(".md-search")?.setAttribute("aria-label", "Search")
  for (const table of document.querySelectorAll(".md-typeset__scrollwrap")) table.tabIndex = 0
  for (const nav of document.querySelectorAll("nav.md-nav[aria-labelledby]")) {
    nav.setAttribute("aria-label", nav.querySelector(":scope > .md-nav__title").textContent.trim())
    nav.removeAttribute("aria-labelledby")
  }
  document.querySelectorAll(".md-code__nav").forEach((nav, number) => {
    nav.setAttribute("aria-label", `Code block ${number + 1}`)
  })
}

document$.subscribe(() => {
  name()
  // Blocks of code get their button when they come into sight.
  new MutationObserver(name).observe(document.querySelector("article"), { childList: true, subtree: true })
})
