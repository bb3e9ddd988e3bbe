// The step page: everything here adds to a page that can be read without it.

import "./copy.js";
import { startAssistant } from "./assistant.js";
import { startCodeHelp } from "./code-help.js";
import { startFeedback } from "./feedback.js";
import { startHints } from "./hints.js";
import { startHistory } from "./history.js";
import { startKeys } from "./keys.js";
import { startLayout } from "./layout.js";
import { startLive } from "./live.js";
import { startMarks } from "./marks.js";
import { startProgress } from "./progress.js";

const frame = document.querySelector(".frame");
const page = {
  frame,
  root: frame.dataset.root,
  step: frame.dataset.step,
  workshop: frame.dataset.workshop,
  ui: (name) => document.querySelector(`[data-ui="${name}"]`),
};

page.words = JSON.parse(page.ui("turn-template").dataset.words);

startLayout(page);
startHints();
startProgress(page);
startMarks(page);
startKeys(page);
startCodeHelp(page, startAssistant(page));
startFeedback(page);
startHistory(page);
startLive(page);
