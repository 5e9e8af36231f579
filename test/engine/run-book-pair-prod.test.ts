import { tellsThePair } from "./pair-run-books.ts";

tellsThePair("prod");
