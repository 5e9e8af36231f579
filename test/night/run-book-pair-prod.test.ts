import { tellsThePair } from "../engine/pair-run-books.ts";

tellsThePair("prod");
