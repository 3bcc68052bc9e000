# bash completion for segctl; written by `segctl completion show bash`

# Sets `options`, `arguments` (how each is completed) and `takes` (options with a value) for a verb.
_segctl_verb() {
  case "$1" in
  init) options='--template --pack -f --format --json -o --output -n --dry-run --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --template --pack -f --format -o --output --timeout --log-file --color '; arguments=('folders') ;;
  demo) options='--live --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --timeout --log-file --color '; arguments=('folders') ;;
  doctor) options='--online --show-personal --deep -C --project -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --online -C --project -e --env -f --format -o --output --timeout --log-file --color '; arguments=() ;;
  config) options='--origin -C --project -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' -C --project -e --env -f --format -o --output --timeout --log-file --color '; arguments=('=show validate') ;;
  schema) options='--project -C -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' -C -e --env -f --format -o --output --timeout --log-file --color '; arguments=('schemas') ;;
  help) options='--markdown -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' -f --format -o --output --timeout --log-file --color '; arguments=('topics') ;;
  completion) options='--shell -o --output -n --dry-run --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --shell -o --output --timeout --log-file --color '; arguments=('=install show' '=bash zsh fish powershell') ;;
  ingest) options='--from --as --key --time --save --full --since --limit -C --project -e --env -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --from --as --key --time --since --limit -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('sources+') ;;
  validate) options='--contract --max-bad-rows --bad-rows --report --save --show-personal -C --project -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --contract --max-bad-rows --bad-rows --report --save -C --project -e --env -f --format -o --output --timeout --log-file --color '; arguments=('sources+') ;;
  quarantine) options='--reason --file --line --limit --show-personal -C --project -e --env -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --reason --file --line --limit -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=ls show export replay discard' 'sources' 'files') ;;
  dedupe) options='--fuzzy --no-fuzzy --review --report --decisions --who --why --show-personal -C --project -e --env -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --review --report --decisions --who --why -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=run runs undo review together apart decisions' 'text' 'text') ;;
  compact) options='--vacuum --keep -C --project -e --env -f --format --json -o --output -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --keep -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=() ;;
  lint) options='--fix --diff --fail-on --exit-zero -C --project -e --env -s --select --exclude --state --allow-empty -f --format --json -o --output -n --dry-run --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --fail-on -C --project -e --env -s --select --exclude --state -f --format -o --output --timeout --log-file --color '; arguments=('files') ;;
  test) options='-k --keyword -x --exit-first --coverage --mutate --min-score --generate --watch -C --project -e --env -s --select --exclude --state --allow-empty -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' -k --keyword --min-score -C --project -e --env -s --select --exclude --state -f --format -o --output --timeout --log-file --color '; arguments=('segments') ;;
  size) options='--engine --language -C --project -e --env -s --select --exclude --state --allow-empty --as-of -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --engine --language -C --project -e --env -s --select --exclude --state --as-of -f --format -o --output --timeout --log-file --color '; arguments=('segments') ;;
  explain) options='--run --until --show-personal --fuzzy --language -C --project -e --env --as-of -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --run --language -C --project -e --env --as-of -f --format -o --output --timeout --log-file --color '; arguments=('segments' 'text' 'text') ;;
  ls) options='-C --project -e --env -s --select --exclude --state --allow-empty -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' -C --project -e --env -s --select --exclude --state -f --format -o --output --timeout --log-file --color '; arguments=('=segments traits events sources destinations experiments content workflows runs tests') ;;
  show) options='--columns --members --run --show-personal --waterfall --to --step --html --force --language -C --project -e --env -s --select --exclude --state --allow-empty --as-of -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --columns --run --to --step --html --language -C --project -e --env -s --select --exclude --state --as-of -f --format -o --output --timeout --log-file --color '; arguments=('things') ;;
  profile) options='--last --show-personal -C --project -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --last -C --project -e --env -f --format -o --output --timeout --log-file --color '; arguments=('text') ;;
  history) options='--last -C --project -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --last -C --project -e --env -f --format -o --output --timeout --log-file --color '; arguments=('segments') ;;
  diff) options='--from --to --moves --exit-code --guards --language -C --project -e --env -s --select --exclude --state --allow-empty -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --from --to --language -C --project -e --env -s --select --exclude --state -f --format -o --output --timeout --log-file --color '; arguments=('segments+') ;;
  overlap) options='--now --top --who --html --engine --language -C --project -e --env -s --select --exclude --state --allow-empty --as-of -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --top --who --html --engine --language -C --project -e --env -s --select --exclude --state --as-of -f --format -o --output --timeout --log-file --color '; arguments=('segments+') ;;
  plan) options='--against --with --moves --all --examples --backtest --from --to --every --exit-code --allow --reason --engine --language -C --project -e --env -s --select --exclude --state --allow-empty --as-of -f --format --json -o --output --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --against --with --examples --from --to --every --allow --reason --engine --language -C --project -e --env -s --select --exclude --state --as-of -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('segments+') ;;
  apply) options='--engine --full --allow --reason -C --project -e --env -s --select --exclude --state --allow-empty --as-of -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --engine --allow --reason -C --project -e --env -s --select --exclude --state --as-of -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('files') ;;
  push) options='--to --all --mode --retry-failed --preview --confirm --same-place --show-personal --allow --reason -C --project -e --env -s --select --exclude --state --allow-empty -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --to --mode --confirm --same-place --allow --reason -C --project -e --env -s --select --exclude --state -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('segments+') ;;
  reconcile) options='--apply --remove-foreign --confirm --allow --reason -C --project -e --env -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --confirm --allow --reason -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('destinations') ;;
  status) options='--prometheus -C --project -e --env -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --prometheus -C --project -e --env -f --format -o --output --timeout --log-file --color '; arguments=() ;;
  pause) options='--all --reason -C --project -e --env -f --format --json -o --output -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --reason -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('segments+') ;;
  resume) options='--all --reason -C --project -e --env -f --format --json -o --output -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --reason -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('segments+') ;;
  experiment) options='--segment --event --window --baseline --sd --effect --power --confidence --arms --split --looks --members --per-day --winner --reason --arm --sent --from --check --language -C --project -e --env --as-of -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --segment --event --window --baseline --sd --effect --power --confidence --arms --split --looks --members --per-day --winner --reason --arm --from --language -C --project -e --env --as-of -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=plan start status stop assign' 'experiments') ;;
  report) options='--by --anyway --explain --details --suppress --html --markdown --force --last --since --quick --propose --language -C --project -e --env -s --select --exclude --state --allow-empty --as-of -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --by --suppress --html --markdown --last --since --propose --language -C --project -e --env -s --select --exclude --state --as-of -f --format -o --output --timeout --log-file --color '; arguments=('=ab control segments health all' 'experiments+') ;;
  consent) options='--purpose --channel --to --against --at --expires --basis --proof --notice --notice-version --confirmed --not-own --reason --source --map --set --rejected --matrix --show-personal --language -C --project -e --env -s --select --exclude -f --format --json -o --output -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --purpose --channel --to --against --at --expires --basis --proof --notice --notice-version --reason --source --map --set --rejected --language -C --project -e --env -s --select --exclude -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=coverage import show check proof grant request confirm deny withdraw object restrict unrestrict lift rotate-key' 'files') ;;
  suppress) options='--channel --reason --proof --confirmed --at --as --source --rejected -C --project -e --env -f --format --json -o --output -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --channel --reason --proof --at --as --source --rejected -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=ls add rm import' 'files') ;;
  listen) options='--bind --source --behind-proxy -C --project -e --env -f --format --json -o --output --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --bind --source -C --project -e --env -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=run keys' '=ls add rm' 'text') ;;
  stream) options='--from --clock --changes --after --once --from-start --checkpoint --linger --push --figures -C --project -e --env --as-of --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --from --clock --changes --after --checkpoint --linger --push --figures -C --project -e --env --as-of --lock-wait --timeout --log-file --color '; arguments=('sources+') ;;
  workflow) options='--from --until --every --follow --since --migrate --mermaid --svg --sent --not-sent --reason -k --keyword --keep --language -C --project -e --env --as-of -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --from --until --every --since --reason -k --keyword --keep --language -C --project -e --env --as-of -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=lint show test simulate run status pause resume resolve forget' 'workflows') ;;
  content) options='--for --language --html --audience --people --show-personal -C --project -e --env --as-of -f --format --json -o --output --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --for --language --html --audience -C --project -e --env --as-of -f --format -o --output --timeout --log-file --color '; arguments=('=ls preview lint recommend' 'content') ;;
  usecase) options='--use --keep --declare --language -C --project -e --env --as-of -f --format --json -o --output -y --yes -n --dry-run --lock-wait --timeout -q --quiet -v --verbose --log-file --plain --color --no-color --no-progress --no-input -h --help'; takes=' --use --language -C --project -e --env --as-of -f --format -o --output --lock-wait --timeout --log-file --color '; arguments=('=ls add status' 'text') ;;
  *) return 1 ;;
  esac
}

# Prints how the value of an option is completed: `=a b c`, a kind of names, or `text`.
_segctl_value() {
  case "$1 $2" in
  'overlap --who') echo '=all any first second' ;;
  'init --color' | 'demo --color' | 'doctor --color' | 'config --color' \
    | 'schema --color' | 'help --color' | 'completion --color' | 'ingest --color' \
    | 'validate --color' | 'quarantine --color' | 'dedupe --color' | 'compact --color' \
    | 'lint --color' | 'test --color' | 'size --color' | 'explain --color' \
    | 'ls --color' | 'show --color' | 'profile --color' | 'history --color' \
    | 'diff --color' | 'overlap --color' | 'plan --color' | 'apply --color' \
    | 'push --color' | 'reconcile --color' | 'status --color' | 'pause --color' \
    | 'resume --color' | 'experiment --color' | 'report --color' | 'consent --color' \
    | 'suppress --color' | 'listen --color' | 'stream --color' | 'workflow --color' \
    | 'content --color' | 'usecase --color') echo '=auto always never' ;;
  'completion --shell') echo '=bash zsh fish powershell' ;;
  'size --language' | 'explain --language' | 'show --language' | 'diff --language' \
    | 'overlap --language' | 'plan --language' | 'experiment --language' | 'report --language' \
    | 'consent --language' | 'workflow --language' | 'usecase --language') echo '=de en' ;;
  'lint --fail-on') echo '=error warning note' ;;
  'consent --against') echo '=marketing profiling all' ;;
  'show --step') echo '=members identifier consent suppression cap holdout priority change accepted' ;;
  'init --pack') echo '=midmarket enterprise public' ;;
  'push --mode') echo '=mirror add update' ;;
  'size --engine' | 'overlap --engine' | 'plan --engine' | 'apply --engine') echo '=polars duckdb' ;;
  'init --template') echo '=shop b2b minimal' ;;
  'suppress --as') echo '=suppress bounce complaint unsubscribe' ;;
  'lint -f' | 'lint --format') echo '=table concise github gitlab sarif junit json ndjson csv' ;;
  'help -f' | 'help --format') echo '=table json' ;;
  'plan -f' | 'plan --format') echo '=table json markdown ndjson csv ids parquet' ;;
  'init -f' | 'init --format' | 'doctor -f' | 'doctor --format' \
    | 'compact -f' | 'compact --format' | 'explain -f' | 'explain --format' \
    | 'profile -f' | 'profile --format' | 'push -f' | 'push --format' \
    | 'status -f' | 'status --format' | 'pause -f' | 'pause --format' \
    | 'resume -f' | 'resume --format' | 'consent -f' | 'consent --format' \
    | 'suppress -f' | 'suppress --format' | 'listen -f' | 'listen --format' \
    | 'workflow -f' | 'workflow --format') echo '=table json ndjson csv' ;;
  'config -f' | 'config --format') echo '=table json ndjson csv concise github' ;;
  'validate -f' | 'validate --format') echo '=table json ndjson csv html junit github concise' ;;
  'schema -f' | 'schema --format' | 'reconcile -f' | 'reconcile --format' \
    | 'report -f' | 'report --format' | 'usecase -f' | 'usecase --format') echo '=table json ndjson csv ids' ;;
  'content -f' | 'content --format') echo '=table json ndjson csv ids concise github gitlab sarif junit' ;;
  'ls -f' | 'ls --format' | 'show -f' | 'show --format' \
    | 'history -f' | 'history --format' | 'diff -f' | 'diff --format' \
    | 'overlap -f' | 'overlap --format' | 'experiment -f' | 'experiment --format') echo '=table json ndjson csv ids parquet' ;;
  'ingest -f' | 'ingest --format' | 'quarantine -f' | 'quarantine --format' \
    | 'dedupe -f' | 'dedupe --format' | 'size -f' | 'size --format' \
    | 'apply -f' | 'apply --format') echo '=table json ndjson csv parquet' ;;
  'test -f' | 'test --format') echo '=table json ndjson junit github concise csv' ;;
  'stream --clock') echo '=wall event' ;;
  'test -k' | 'test --keyword') echo 'cases' ;;
  'show --to' | 'push --to' | 'push --same-place' | 'consent --to' \
    | 'stream --push') echo 'destinations' ;;
  'doctor -e' | 'doctor --env' | 'config -e' | 'config --env' \
    | 'schema -e' | 'schema --env' | 'ingest -e' | 'ingest --env' \
    | 'validate -e' | 'validate --env' | 'quarantine -e' | 'quarantine --env' \
    | 'dedupe -e' | 'dedupe --env' | 'compact -e' | 'compact --env' \
    | 'lint -e' | 'lint --env' | 'test -e' | 'test --env' \
    | 'size -e' | 'size --env' | 'explain -e' | 'explain --env' \
    | 'ls -e' | 'ls --env' | 'show -e' | 'show --env' \
    | 'profile -e' | 'profile --env' | 'history -e' | 'history --env' \
    | 'diff -e' | 'diff --env' | 'overlap -e' | 'overlap --env' \
    | 'plan -e' | 'plan --env' | 'apply -e' | 'apply --env' \
    | 'push -e' | 'push --env' | 'reconcile -e' | 'reconcile --env' \
    | 'status -e' | 'status --env' | 'pause -e' | 'pause --env' \
    | 'resume -e' | 'resume --env' | 'experiment -e' | 'experiment --env' \
    | 'report -e' | 'report --env' | 'consent -e' | 'consent --env' \
    | 'suppress -e' | 'suppress --env' | 'listen -e' | 'listen --env' \
    | 'stream -e' | 'stream --env' | 'workflow -e' | 'workflow --env' \
    | 'content -e' | 'content --env' | 'usecase -e' | 'usecase --env') echo 'environments' ;;
  'ingest --as' | 'experiment --event') echo 'events' ;;
  'init -o' | 'init --output' | 'init --log-file' | 'demo --log-file' \
    | 'doctor -o' | 'doctor --output' | 'doctor --log-file' | 'config -o' \
    | 'config --output' | 'config --log-file' | 'schema -o' | 'schema --output' \
    | 'schema --log-file' | 'help -o' | 'help --output' | 'help --log-file' \
    | 'completion -o' | 'completion --output' | 'completion --log-file' | 'ingest --from' \
    | 'ingest -o' | 'ingest --output' | 'ingest --log-file' | 'validate --contract' \
    | 'validate --bad-rows' | 'validate --report' | 'validate -o' | 'validate --output' \
    | 'validate --log-file' | 'quarantine -o' | 'quarantine --output' | 'quarantine --log-file' \
    | 'dedupe --report' | 'dedupe --decisions' | 'dedupe -o' | 'dedupe --output' \
    | 'dedupe --log-file' | 'compact -o' | 'compact --output' | 'compact --log-file' \
    | 'lint -o' | 'lint --output' | 'lint --log-file' | 'test -o' \
    | 'test --output' | 'test --log-file' | 'size -o' | 'size --output' \
    | 'size --log-file' | 'explain -o' | 'explain --output' | 'explain --log-file' \
    | 'ls -o' | 'ls --output' | 'ls --log-file' | 'show -o' \
    | 'show --output' | 'show --log-file' | 'profile -o' | 'profile --output' \
    | 'profile --log-file' | 'history -o' | 'history --output' | 'history --log-file' \
    | 'diff -o' | 'diff --output' | 'diff --log-file' | 'overlap --html' \
    | 'overlap -o' | 'overlap --output' | 'overlap --log-file' | 'plan -o' \
    | 'plan --output' | 'plan --log-file' | 'apply -o' | 'apply --output' \
    | 'apply --log-file' | 'push -o' | 'push --output' | 'push --log-file' \
    | 'reconcile -o' | 'reconcile --output' | 'reconcile --log-file' | 'status -o' \
    | 'status --output' | 'status --log-file' | 'pause -o' | 'pause --output' \
    | 'pause --log-file' | 'resume -o' | 'resume --output' | 'resume --log-file' \
    | 'experiment -o' | 'experiment --output' | 'experiment --log-file' | 'report --html' \
    | 'report --markdown' | 'report -o' | 'report --output' | 'report --log-file' \
    | 'consent --rejected' | 'consent -o' | 'consent --output' | 'consent --log-file' \
    | 'suppress --rejected' | 'suppress -o' | 'suppress --output' | 'suppress --log-file' \
    | 'listen -o' | 'listen --output' | 'listen --log-file' | 'stream --from' \
    | 'stream --changes' | 'stream --log-file' | 'workflow -o' | 'workflow --output' \
    | 'workflow --log-file' | 'content --html' | 'content -o' | 'content --output' \
    | 'content --log-file' | 'usecase -o' | 'usecase --output' | 'usecase --log-file') echo 'files' ;;
  'doctor -C' | 'doctor --project' | 'config -C' | 'config --project' \
    | 'schema -C' | 'ingest -C' | 'ingest --project' | 'validate -C' \
    | 'validate --project' | 'quarantine -C' | 'quarantine --project' | 'dedupe -C' \
    | 'dedupe --project' | 'compact -C' | 'compact --project' | 'lint -C' \
    | 'lint --project' | 'test -C' | 'test --project' | 'size -C' \
    | 'size --project' | 'explain -C' | 'explain --project' | 'ls -C' \
    | 'ls --project' | 'show --html' | 'show -C' | 'show --project' \
    | 'profile -C' | 'profile --project' | 'history -C' | 'history --project' \
    | 'diff -C' | 'diff --project' | 'overlap -C' | 'overlap --project' \
    | 'plan --with' | 'plan -C' | 'plan --project' | 'apply -C' \
    | 'apply --project' | 'push -C' | 'push --project' | 'reconcile -C' \
    | 'reconcile --project' | 'status -C' | 'status --project' | 'pause -C' \
    | 'pause --project' | 'resume -C' | 'resume --project' | 'experiment -C' \
    | 'experiment --project' | 'report -C' | 'report --project' | 'consent -C' \
    | 'consent --project' | 'suppress -C' | 'suppress --project' | 'listen -C' \
    | 'listen --project' | 'stream -C' | 'stream --project' | 'workflow -C' \
    | 'workflow --project' | 'content -C' | 'content --project' | 'usecase -C' \
    | 'usecase --project') echo 'folders' ;;
  'consent --purpose') echo 'purposes' ;;
  'doctor --online') echo 'reached' ;;
  'lint --state' | 'test --state' | 'size --state' | 'explain --run' \
    | 'ls --state' | 'show --run' | 'show --state' | 'diff --from' \
    | 'diff --to' | 'diff --state' | 'overlap --state' | 'plan --state' \
    | 'apply --state' | 'push --state' | 'report --state') echo 'runs' ;;
  'experiment --segment' | 'content --audience') echo 'segments' ;;
  'lint -s' | 'lint --select' | 'lint --exclude' | 'test -s' \
    | 'test --select' | 'test --exclude' | 'size -s' | 'size --select' \
    | 'size --exclude' | 'ls -s' | 'ls --select' | 'ls --exclude' \
    | 'show -s' | 'show --select' | 'show --exclude' | 'diff -s' \
    | 'diff --select' | 'diff --exclude' | 'overlap -s' | 'overlap --select' \
    | 'overlap --exclude' | 'plan -s' | 'plan --select' | 'plan --exclude' \
    | 'apply -s' | 'apply --select' | 'apply --exclude' | 'push -s' \
    | 'push --select' | 'push --exclude' | 'report -s' | 'report --select' \
    | 'report --exclude' | 'consent -s' | 'consent --select' | 'consent --exclude') echo 'selections' ;;
  'validate --save' | 'listen --source') echo 'sources' ;;
  *) echo text ;;
  esac
}

_segctl_offer() {
  local kind="${1%+}" line
  case "$kind" in
  '='*) COMPREPLY=($(compgen -W "${kind#=}" -- "$cur")) ;;
  files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
  folders) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
  verbs) COMPREPLY=($(compgen -W "init demo doctor config schema help completion ingest validate quarantine dedupe compact lint test size explain ls show profile history diff overlap plan apply push reconcile status pause resume experiment report consent suppress listen stream workflow content usecase" -- "$cur")) ;;
  text | '') ;;
  topics) COMPREPLY=($(compgen -W "init demo doctor config schema help completion ingest validate quarantine dedupe compact lint test size explain ls show profile history diff overlap plan apply push reconcile status pause resume experiment report consent suppress listen stream workflow content usecase" -- "$cur") $(segctl __complete topics "$cur" 2>/dev/null | cut -f1)) ;;
  *)
    while IFS= read -r line; do
      COMPREPLY+=("${line%%$'\t'*}")
    done < <(segctl __complete "$kind" "$cur" "$folder" 2>/dev/null)
    ;;
  esac
}

_segctl() {
  # Split by blanks only: bash's own words end at colons, and `segment:vip` is one word of ours.
  local line="${COMP_LINE:0:COMP_POINT}" cur='' folder='' options takes arguments i count=0 before
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] || { cur="${words[-1]}"; unset 'words[-1]'; }
  COMPREPLY=()
  if ((${#words[@]} < 2)); then
    COMPREPLY=($(compgen -W "init demo doctor config schema help completion ingest validate quarantine dedupe compact lint test size explain ls show profile history diff overlap plan apply push reconcile status pause resume experiment report consent suppress listen stream workflow content usecase --help --version" -- "$cur"))
    return
  fi
  _segctl_verb "${words[1]}" || return
  before="${words[-1]}"
  for ((i = 2; i < ${#words[@]}; i++)); do
    case "${words[i]}" in
    -C | --project) folder="${words[i + 1]:-}" ;;
    esac
    if [[ $takes == *" ${words[i]} "* ]]; then ((i++)); elif [[ ${words[i]} != -* ]]; then ((count++)); fi
  done
  if [[ $takes == *" $before "* ]]; then
    _segctl_offer "$(_segctl_value "${words[1]}" "$before")"
  elif [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif ((count < ${#arguments[@]})); then
    _segctl_offer "${arguments[count]}"
  elif ((${#arguments[@]})) && [[ ${arguments[-1]} == *+ ]]; then
    _segctl_offer "${arguments[-1]}"
  fi
  # What stands before the last colon is already on the line as far as bash is concerned.
  if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
    COMPREPLY=("${COMPREPLY[@]#"${cur%"${cur##*:}"}"}")
  fi
}

complete -F _segctl segctl
