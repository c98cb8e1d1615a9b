"""What must be true of any page, whatever it shows."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe


def sideways(page: Any) -> list[str]:
    """What reaches beyond the window: the page itself, or a card's content."""
    return page.evaluate(
        """() => [document.documentElement, ...document.querySelectorAll('.card, .rows > li')]
          .filter((each) => each.scrollWidth > each.clientWidth + 1)
          .map((each) => `${each.tagName} ${each.className} ${each.textContent.slice(0, 60)}`)"""
    )


def violations(page: Any) -> list[str]:
    """What axe finds: the rule that is broken, and where."""
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def foreign_elements(page: Any) -> list[str]:
    """Elements that our templates never write, or more scripts and styles than they write."""
    return page.evaluate(
        """() => [...document.querySelectorAll('img, iframe, marquee, template, base, math')]
          .map((each) => each.outerHTML)
          .concat(document.querySelectorAll('script:not([type])').length ? ['script'] : [])
          .concat(document.querySelectorAll('style').length > 1 ? ['style'] : [])
          .concat([...document.querySelectorAll('a')].map((each) => each.getAttribute('href'))
            .filter((href) => !/^(#|[a-z]+\\.[a-z]+$)/.test(href)))"""
    )
