// The document of an update, as local_shim/report/document.py writes it.
export interface Rule { dataset: string; name: string; passed: number; failed: number }
export interface Source { file: string; line: number }
export interface Flow {
  name: string; target: string; kind: string; reads: string[]; status: string;
  source: Source | null; started: string | null; ended: string | null; seconds: number | null;
  rows: number; upserted: number; deleted: number; dropped: number; technique: string; why: string;
  rules: Rule[]; error: { class_name: string; message: string; stack: string[] } | null;
  skipped_because: string[];
}
export interface Dataset {
  name: string; kind: string; comment: string | null; private: boolean; source: Source | null;
  columns: { name: string; type: string }[];
  rules: { name: string; action: string; constraint: string | null }[];
  rows: { columns: string[]; cells: (string | null)[][] } | null;
}
export interface Request { full_refresh?: boolean; refresh_selection?: string[]; full_refresh_selection?: string[] }
export interface Past {
  update: string; state: string; cause: string; request: Request;
  started: string | null; seconds: number | null; rows: number;
  flows: Record<string, number>; failed_checks: Record<string, number>;
}
export interface UpdateDocument {
  pipeline: { name: string };
  update: {
    id: string; state: string; cause: string; request: Request;
    started: string | null; seconds: number | null; error: string;
  };
  datasets: Dataset[]; flows: Flow[]; outside: { name: string; kind: string }[]; history: Past[]; warnings: string[];
}
