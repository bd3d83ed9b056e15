/** The dataset that a task file's `data` section describes: a pure function of the section and the files' bytes. */
import type { DataSection } from "../task/taskData.ts";
import { arrayDataset } from "./arrayDataset.ts";
import type { DataFiles, Dataset } from "./dataset.ts";
import { textData } from "./text.ts";

/** @throws DataFileError, DatasetError, TextDatasetError, TokenizerError, and what `files.list` throws. */
export async function buildDataset(section: DataSection, files: DataFiles): Promise<Dataset> {
  return section.kind === "text" ? await textData(section, files) : await arrayDataset(section, files);
}
