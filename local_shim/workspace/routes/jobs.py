"""The routes of jobs and their runs; the package `jobs` has the choices made here."""

from __future__ import annotations

from local_shim.workspace.api_error import wrong_value
from local_shim.workspace.jobs import job_documents
from local_shim.workspace.paging import Query, criteria, one_page
from local_shim.workspace.routes.call import Call, Document, Route

_LARGEST = 100


def _create(call: Call) -> Document:
    settings = {"name": "Untitled", **call.body}
    if not settings.get("tasks"):
        raise wrong_value("A job needs 'tasks'.")
    return {"job_id": call.workspace.jobs.create(settings)}


def _reset(call: Call) -> Document:
    jobs, job_id = call.workspace.jobs, str(call.body["job_id"])
    jobs.settings(job_id)
    jobs.replace(job_id, call.body["new_settings"])
    return {}


def _delete(call: Call) -> Document:
    call.workspace.jobs.delete(str(call.body["job_id"]))
    return {}


def _get(call: Call) -> Document:
    (job_id,) = call.query["job_id"]
    return job_documents.job(job_id, call.workspace.jobs.settings(job_id))


def _list(call: Call) -> Document:
    jobs, query = call.workspace.jobs, _sized(call)
    name = criteria(query).get("name", [""])[0].lower()
    named = [each for each in jobs.ids() if name in ("", jobs.settings(each)["name"].lower())]
    page, token = one_page(named, str, query, _LARGEST)
    return {"jobs": [job_documents.job(each, jobs.settings(each)) for each in page], **token}


def _run_now(call: Call) -> Document:
    job_id = str(call.body["job_id"])
    run = call.workspace.runs.start(job_id, call.workspace.jobs.settings(job_id), call.body)
    return {"run_id": run.run_id}


def _get_run(call: Call) -> Document:
    (run_id,) = call.query["run_id"]
    return job_documents.run(call.workspace.runs.get(run_id))


def _cancel_run(call: Call) -> Document:
    call.workspace.runs.get(str(call.body["run_id"])).canceled.set()
    return {}


def _cancel_all_runs(call: Call) -> Document:
    for run in call.workspace.runs.of_job(str(call.body["job_id"])):
        run.canceled.set()
    return {}


def _list_runs(call: Call) -> Document:
    query = _sized(call)
    (job_id,) = criteria(query)["job_id"]
    runs = call.workspace.runs.of_job(job_id)
    page, token = one_page(runs, lambda each: str(each.run_id), query, _LARGEST)
    return {"runs": [job_documents.run(each) for each in page], **token}


def _sized(call: Call) -> Query:
    """The query with `max_results` in place of `limit`, its name in lists of jobs."""
    query = {name: values for name, values in call.query.items() if name != "limit"}
    return query | ({"max_results": call.query["limit"]} if "limit" in call.query else {})


_JOBS = r"/api/2\.\d/jobs"
ROUTES: tuple[Route, ...] = (
    ("POST", f"{_JOBS}/create", _create),
    ("POST", f"{_JOBS}/reset", _reset),
    ("POST", f"{_JOBS}/delete", _delete),
    ("GET", f"{_JOBS}/get", _get),
    ("GET", f"{_JOBS}/list", _list),
    ("POST", f"{_JOBS}/run-now", _run_now),
    ("GET", f"{_JOBS}/runs/get", _get_run),
    ("GET", f"{_JOBS}/runs/list", _list_runs),
    ("POST", f"{_JOBS}/runs/cancel", _cancel_run),
    ("POST", f"{_JOBS}/runs/cancel-all", _cancel_all_runs),
)
