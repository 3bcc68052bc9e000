# PowerShell completion for segctl; written by `segctl completion show powershell`
Register-ArgumentCompleter -Native -CommandName segctl -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $verbs = [ordered]@{
        'init' = 'Write a commented project that works at once'
        'demo' = 'Run the whole way on packaged sample data'
        'doctor' = 'Check Python, engines, project, workspace and disk'
        'config' = 'Show settings with their origin, or validate them'
        'schema' = 'Print a JSON Schema for editors'
        'help' = 'Explain a verb, a topic or an error code'
        'completion' = 'Print or install shell completion'
        'ingest' = 'Read source files into the workspace'
        'validate' = 'Check definitions and data without changing anything'
        'quarantine' = 'Look at rows that were set aside'
        'dedupe' = 'Recognise people: which identifiers are one person'
        'compact' = 'Rewrite stored files so that reading is fast'
        'lint' = 'Check definitions without touching data'
        'test' = 'Run the tests of segments, or find what they miss'
        'size' = 'Count a definition, saved or not, leaf by leaf'
        'explain' = 'Say why a person is in or out of a segment'
        'ls' = 'List segments, traits, events, sources, runs or tests'
        'show' = 'Show one thing: a segment, trait, event, source or run'
        'profile' = 'Show one person''s timeline'
        'history' = 'Show how a segment''s size moved from run to run'
        'diff' = 'Show who entered and left between two runs'
        'plan' = 'Show what apply would do, and why'
        'apply' = 'Evaluate segments and record a run'
    }
    $options = @{
        'init' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--template'] = '=shop b2b minimal'
            $table['--pack'] = '=midmarket enterprise public'
            $table['-f'] = '=table json ndjson csv'
            $table['--format'] = '=table json ndjson csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'demo' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'doctor' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--online'] = 'sources'
            $table['--show-personal'] = 'flag'
            $table['--deep'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv'
            $table['--format'] = '=table json ndjson csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'config' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--origin'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv concise github'
            $table['--format'] = '=table json ndjson csv concise github'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'schema' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['-f'] = '=table json ndjson csv ids'
            $table['--format'] = '=table json ndjson csv ids'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'help' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--markdown'] = 'flag'
            $table['-f'] = '=table json'
            $table['--format'] = '=table json'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'completion' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--shell'] = '=bash zsh fish powershell'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'ingest' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--from'] = 'files'
            $table['--as'] = 'events'
            $table['--key'] = 'text'
            $table['--time'] = 'text'
            $table['--save'] = 'flag'
            $table['--full'] = 'flag'
            $table['--since'] = 'text'
            $table['--limit'] = 'text'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv parquet'
            $table['--format'] = '=table json ndjson csv parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-y'] = 'flag'
            $table['--yes'] = 'flag'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--lock-wait'] = 'text'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'validate' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--contract'] = 'files'
            $table['--max-bad-rows'] = 'text'
            $table['--bad-rows'] = 'files'
            $table['--report'] = 'files'
            $table['--save'] = 'sources'
            $table['--show-personal'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv html junit github concise'
            $table['--format'] = '=table json ndjson csv html junit github concise'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'quarantine' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--reason'] = 'text'
            $table['--file'] = 'text'
            $table['--line'] = 'text'
            $table['--limit'] = 'text'
            $table['--show-personal'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv parquet'
            $table['--format'] = '=table json ndjson csv parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-y'] = 'flag'
            $table['--yes'] = 'flag'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--lock-wait'] = 'text'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'dedupe' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--fuzzy'] = 'flag'
            $table['--no-fuzzy'] = 'flag'
            $table['--review'] = 'text'
            $table['--report'] = 'files'
            $table['--decisions'] = 'files'
            $table['--who'] = 'text'
            $table['--why'] = 'text'
            $table['--show-personal'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv parquet'
            $table['--format'] = '=table json ndjson csv parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-y'] = 'flag'
            $table['--yes'] = 'flag'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--lock-wait'] = 'text'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'compact' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--vacuum'] = 'flag'
            $table['--keep'] = 'text'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv'
            $table['--format'] = '=table json ndjson csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--lock-wait'] = 'text'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'lint' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--fix'] = 'flag'
            $table['--diff'] = 'flag'
            $table['--fail-on'] = '=error warning note'
            $table['--exit-zero'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table concise github gitlab sarif junit json ndjson csv'
            $table['--format'] = '=table concise github gitlab sarif junit json ndjson csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'test' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['-k'] = 'text'
            $table['--keyword'] = 'text'
            $table['-x'] = 'flag'
            $table['--exit-first'] = 'flag'
            $table['--coverage'] = 'flag'
            $table['--mutate'] = 'flag'
            $table['--min-score'] = 'text'
            $table['--generate'] = 'flag'
            $table['--watch'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-s'] = 'selections'
            $table['--select'] = 'selections'
            $table['--exclude'] = 'selections'
            $table['--state'] = 'runs'
            $table['--allow-empty'] = 'flag'
            $table['-f'] = '=table json ndjson junit github concise csv'
            $table['--format'] = '=table json ndjson junit github concise csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'size' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--engine'] = '=polars duckdb'
            $table['--language'] = '=de en'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-s'] = 'selections'
            $table['--select'] = 'selections'
            $table['--exclude'] = 'selections'
            $table['--state'] = 'runs'
            $table['--allow-empty'] = 'flag'
            $table['--as-of'] = 'text'
            $table['-f'] = '=table json ndjson csv parquet'
            $table['--format'] = '=table json ndjson csv parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'explain' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--run'] = 'runs'
            $table['--until'] = 'flag'
            $table['--show-personal'] = 'flag'
            $table['--fuzzy'] = 'flag'
            $table['--language'] = '=de en'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['--as-of'] = 'text'
            $table['-f'] = '=table json ndjson csv'
            $table['--format'] = '=table json ndjson csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'ls' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-s'] = 'selections'
            $table['--select'] = 'selections'
            $table['--exclude'] = 'selections'
            $table['--state'] = 'runs'
            $table['--allow-empty'] = 'flag'
            $table['-f'] = '=table json ndjson csv ids parquet'
            $table['--format'] = '=table json ndjson csv ids parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'show' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--columns'] = 'text'
            $table['--members'] = 'flag'
            $table['--run'] = 'runs'
            $table['--show-personal'] = 'flag'
            $table['--language'] = '=de en'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['--as-of'] = 'text'
            $table['-f'] = '=table json ndjson csv ids parquet'
            $table['--format'] = '=table json ndjson csv ids parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'profile' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--last'] = 'text'
            $table['--show-personal'] = 'flag'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv'
            $table['--format'] = '=table json ndjson csv'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'history' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--last'] = 'text'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-f'] = '=table json ndjson csv ids parquet'
            $table['--format'] = '=table json ndjson csv ids parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'diff' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--from'] = 'runs'
            $table['--to'] = 'runs'
            $table['--moves'] = 'flag'
            $table['--exit-code'] = 'flag'
            $table['--guards'] = 'flag'
            $table['--language'] = '=de en'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-s'] = 'selections'
            $table['--select'] = 'selections'
            $table['--exclude'] = 'selections'
            $table['--state'] = 'runs'
            $table['--allow-empty'] = 'flag'
            $table['-f'] = '=table json ndjson csv ids parquet'
            $table['--format'] = '=table json ndjson csv ids parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'plan' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--against'] = 'text'
            $table['--moves'] = 'flag'
            $table['--all'] = 'flag'
            $table['--examples'] = 'text'
            $table['--exit-code'] = 'flag'
            $table['--allow'] = 'text'
            $table['--reason'] = 'text'
            $table['--engine'] = '=polars duckdb'
            $table['--language'] = '=de en'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-s'] = 'selections'
            $table['--select'] = 'selections'
            $table['--exclude'] = 'selections'
            $table['--state'] = 'runs'
            $table['--allow-empty'] = 'flag'
            $table['--as-of'] = 'text'
            $table['-f'] = '=table json markdown ndjson csv ids parquet'
            $table['--format'] = '=table json markdown ndjson csv ids parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['--lock-wait'] = 'text'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
        'apply' = & {
            $table = [System.Collections.Generic.Dictionary[string, string]]::new()
            $table['--engine'] = '=polars duckdb'
            $table['--allow'] = 'text'
            $table['--reason'] = 'text'
            $table['-C'] = 'folders'
            $table['--project'] = 'folders'
            $table['-e'] = 'environments'
            $table['--env'] = 'environments'
            $table['-s'] = 'selections'
            $table['--select'] = 'selections'
            $table['--exclude'] = 'selections'
            $table['--state'] = 'runs'
            $table['--allow-empty'] = 'flag'
            $table['--as-of'] = 'text'
            $table['-f'] = '=table json ndjson csv parquet'
            $table['--format'] = '=table json ndjson csv parquet'
            $table['--json'] = 'flag'
            $table['-o'] = 'files'
            $table['--output'] = 'files'
            $table['-y'] = 'flag'
            $table['--yes'] = 'flag'
            $table['-n'] = 'flag'
            $table['--dry-run'] = 'flag'
            $table['--lock-wait'] = 'text'
            $table['--timeout'] = 'text'
            $table['-q'] = 'flag'
            $table['--quiet'] = 'flag'
            $table['-v'] = 'flag'
            $table['--verbose'] = 'flag'
            $table['--log-file'] = 'files'
            $table['--plain'] = 'flag'
            $table['--color'] = '=auto always never'
            $table['--no-color'] = 'flag'
            $table['--no-progress'] = 'flag'
            $table['--no-input'] = 'flag'
            $table['-h'] = 'flag'
            $table['--help'] = 'flag'
            Write-Output -NoEnumerate $table
        }
    }
    $arguments = @{
        'init' = @('folders')
        'demo' = @('folders')
        'doctor' = @()
        'config' = @('=show validate')
        'schema' = @('schemas')
        'help' = @('topics')
        'completion' = @('=install show', '=bash zsh fish powershell')
        'ingest' = @('sources+')
        'validate' = @('sources+')
        'quarantine' = @('=ls show export replay discard', 'sources', 'files')
        'dedupe' = @('=run runs undo review together apart decisions', 'text', 'text')
        'compact' = @()
        'lint' = @('files')
        'test' = @('segments')
        'size' = @('segments')
        'explain' = @('segments', 'text', 'text')
        'ls' = @('=segments traits events sources runs tests')
        'show' = @('things')
        'profile' = @('text')
        'history' = @('segments')
        'diff' = @('segments+')
        'plan' = @('segments+')
        'apply' = @('files')
    }
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursorPosition } |
        ForEach-Object { $_.Extent.Text })
    if ($wordToComplete -and $words.Count -gt 0) { $words = @($words | Select-Object -SkipLast 1) }
    function Offer($kind) {
        $kind = $kind.TrimEnd('+')
        if ($kind.StartsWith('=')) { $found = $kind.Substring(1) -split ' ' }
        elseif ($kind -in 'text', 'files', 'folders') { return }
        else {
            $found = @(segctl __complete $kind "$wordToComplete" 2>$null | ForEach-Object { ($_ -split "`t")[0] })
            if ($kind -in 'topics', 'verbs') { $found += $verbs.Keys }
        }
        $found | Where-Object { $_ -like "$wordToComplete*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
        }
    }
    if ($words.Count -lt 2) {
        $verbs.GetEnumerator() | Where-Object { $_.Key -like "$wordToComplete*" } | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_.Key, $_.Key, 'ParameterValue', $_.Value)
        }
        return
    }
    $known = $options[$words[1]]
    if ($null -eq $known) { return }
    $before = $words[-1]
    if ($known.Contains($before) -and $known[$before] -ne 'flag') { Offer $known[$before]; return }
    if ($wordToComplete -like '-*') {
        $known.Keys | Where-Object { $_ -clike "$wordToComplete*" } | Sort-Object | ForEach-Object {
            [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterName', $_)
        }
        return
    }
    $count = 0
    for ($i = 2; $i -lt $words.Count; $i++) {
        if ($known.Contains($words[$i]) -and $known[$words[$i]] -ne 'flag') { $i++ }
        elseif ($words[$i] -notlike '-*') { $count++ }
    }
    $kinds = @($arguments[$words[1]])
    if ($count -lt $kinds.Count) { Offer $kinds[$count] }
    elseif ($kinds.Count -gt 0 -and $kinds[-1].EndsWith('+')) { Offer $kinds[-1] }
}
