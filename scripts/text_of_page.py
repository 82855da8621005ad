"""Prints the text of an HTML page's article: text_of_page.py PAGE.html"""

import re
import sys
from html.parser import HTMLParser
from pathlib import Path


class Article(HTMLParser):
    def __init__(self):
        super().__init__()
        self.articles = 0
        self.hidden = 0
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.articles += tag == "article"
        self.hidden += tag in ("script", "style")

    def handle_endtag(self, tag):
        self.articles -= tag == "article"
        self.hidden -= tag in ("script", "style")

    def handle_data(self, data):
        if self.articles > 0 and self.hidden == 0:
            self.text += data


article = Article()
article.feed(Path(sys.argv[1]).read_text())
print(re.sub(r"\s*\n\s*\n\s*", "\n\n", article.text).strip())
