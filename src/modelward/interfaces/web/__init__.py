"""The pages: server-rendered HTML that works without scripts. Each page is declared with its permission."""
