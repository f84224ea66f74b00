/**
 * What the names of metrics and params tell. The server has the same patterns (`logbuch/stability/parts.py` and
 * `logbuch/answers.py`); a test holds them equal.
 */

const pattern = (text: string) => new RegExp(text, "i");

/** Losses, and what is read as one. */
export const LOSS = pattern(String.raw`loss|perplexity|cross[_\-]?entropy|(^|[/_.\-\s])(ppl|nll|bce|ce|xent|bp[bc])($|[/_.\-\s@\d])`);
/** Of an evaluation, and not of the training. */
export const EVALUATION = pattern(String.raw`(^|[/_.\-\s])(eval|evaluation|val|valid|validation|test|dev)($|[/_.\-\s@\d])`);
/** Better where it is lower. */
export const LOWER = pattern(String.raw`loss|perplexity|error|hausdorff|misclassif|regret|neg(ative)?_log_likelihood|cross[_\-]?entropy|(^|[/_.\-\s])(ppl|nll|bce|ce|xent|bp[bc]|r?mse|rmsle|s?mape|mae|mase|wer|cer|eer|fid|kid|lpips|kl|ece|brier|crps|fpr|fnr|latency|duration|(run)?time)($|[/_.\-\s@\d])`);
/** Better where it is higher. */
export const HIGHER = pattern(String.raw`(^|[/_.\-\s])(acc(uracy)?|top[_\-]?\d+|f[12]|fbeta|auc|auroc|auprc|ap|map|miou|iou|dice|jaccard|precision|recall|sensitivity|specificity|tpr|tnr|ndcg|mrr|hits?|hit_?rate|mcc|matthews\w*|kappa|pearson\w*|spearman\w*|corr(elation)?|(sacre)?bleu|chrf|meteor|rouge\w*|cider|comet|exact_match|em|pass|score|r2|explained_variance|psnr|ssim|elbo|log_?likelihood|silhouette|rew(ard)?s?|returns?|elo|win_?rate|success(_rate)?|goodput)($|[/_.\-\s@\d])`);
/** How fast a training goes. */
export const THROUGHPUT = pattern(String.raw`(tokens|samples|steps|examples|images|it(eration)?s?)_?(/|_per_|p)_?s(ec(ond)?)?$|throughput`);
/** How long something took. */
export const DURATION = pattern(String.raw`(^|[/_.\-\s])(time|seconds|secs|duration|elapsed|latency|runtime)([/_.\-](s|ms|secs?|seconds|mean|avg|total))?$`);
/** The use of a machine. */
export const USE = pattern(String.raw`(^|[/_.\-\s])([mh]fu|t?flops|((memory|mem|rss|vram)([/_.\-](peak|max|used|usage|allocated|reserved|[kmgt]i?b|\w*bytes|percent(age)?))*))$`);
/** The use of a machine that is better where it is higher. */
export const USED_WELL = pattern(String.raw`(^|[/_.\-\s])([mh]fu|t?flops)$`);
/** A loss by another name. */
export const PERPLEXITY = pattern(String.raw`perplexity|ppl`);
/** Params that are the seed of a random generator. */
export const SEED = pattern(String.raw`(^|[/_.\-])(random[_\-]?state|(random|data|global|torch|numpy|np)?[_\-]?seed|repeat|repetition|replicate)($|[/_.\-])`);
/** Params that only name a run, or say where and when it ran. */
export const LABEL = pattern(String.raw`(^|[/._\-])((output|out|save|log|logging|results?|run|exp|experiment)[_\-]?(dir|directory|folder|path)|(work|working|checkpoints?|ckpt|default[_\-]?root|cache|te?mp|profile|tensorboard|tb|wandb)[_\-]?(dir|directory|folder)|(run|exp|experiment|job|trial|array[_\-]?task|session|project)[_\-]?(id|name|number|idx|index)|hub[_\-]?model[_\-]?id|uuid|guid|timestamp|datetime|start[_\-]?time|created[_\-]?at|host|host[_\-]?name|node[_\-]?(name|list)|user|user[_\-]?name|pid|master[_\-]?(port|addr)|(local|node|global|world)[_\-]?rank|process[_\-]?index|tracking[_\-]?uri|notes?|description|comment|tags?)$`);
/** The loss as such. */
export const PLAIN_LOSS = pattern(String.raw`^((train|training|eval|evaluation|val|valid|validation|test|dev)[/_.\-])?loss$`);
/** A loss of something. */
export const SOME_LOSS = pattern(String.raw`(^|[/_.])loss$`);
/** A value beside the curve of the run: what it began with or ended at, or only a part of it. */
export const ASIDE = pattern(String.raw`(^|[/_.\-])(base|baseline|initial|init|start|best|min|final|aux|auxiliary|moe)($|[/_.\-])`);

/** Whether a pattern fits a key, or one in camel case whose words stand apart. */
export const fits = (one: RegExp, key: string) => one.test(key) || one.test(key.replace(/([a-z0-9])(?=[A-Z])/g, "$1_"));
