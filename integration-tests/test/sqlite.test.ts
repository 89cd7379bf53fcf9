import { describeSqlite } from "./embedded-suite.ts";
import { foremost } from "./middleware/through.ts";

describeSqlite({ through: foremost });
