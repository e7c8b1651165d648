#!/bin/sh
# From a folder of Markdown to a first answer, in three commands:
#
#     sh docs/first-search.sh FOLDER "a question"
#
# FOLDER is yours: kb init adds its own few files and changes no note. A thousand notes take about
# a minute, nearly all of it for embedding, once.
set -eu
cd "$1"
kb init
kb sync
kb search "$2"
