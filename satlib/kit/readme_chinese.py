"""The generated tables of the README in Chinese: the same rows and numbers, with the words of the
article.

``readme`` writes the English tables from the records; here each of their phrases has its Chinese
one, and a phrase that has none is refused. Numbers are never typed: they are carried over. No
lesson imports this module.
"""

import re

# Whole cells of tables, and words inside a sentence.
TERMS = {
    "lesson": "课程",
    "what you do": "你要做的事",
    "module": "模块",
    "model": "模型",
    "the literature says": "文献的说法",
    "the records say": "记录的结论",
    "shown by": "验证命令",
    "training": "训练",
    "scoring": "打分",
    "texts/s": "文本/秒",
    "satlib is so many times as fast": "satlib 的速度是它的几倍",
    "share of the peak": "占峰值的比例",
    "memory (MB)": "内存（MB）",
    "loss": "损失",
    "none": "无",
    "users": "用户",
    "dialogues": "对话",
    "lies inside": "落在区间内",
    "not reached": "未达到",
    "passed": "已超过",
    # titles of the lessons
    "Read an interaction log": "读懂一份交互日志",
    "Load a corpus, or bring your own": "加载语料，或使用自己的数据",
    "Simulate sessions whose satisfaction is known": "模拟满意度已知的会话",
    "Turn ratings into labels": "把评分变成标签",
    "Cut the data so that nothing leaks": "划分数据，杜绝泄漏",
    "Minimise the squared error": "最小化平方误差",
    "Derive the cross-entropy gradient": "推导交叉熵的梯度",
    "Teach the loss the order of the ratings": "让损失函数懂得评分的次序",
    "Encode a sequence as vectors and as text": "把序列编码为向量和文本",
    "Turn texts into tokens and batches": "把文本变成词元和批次",
    "Describe users by what they did before": "用过往行为刻画用户",
    "Measure a prediction, and say how sure you are": "度量预测，并说明有多大把握",
    "Fit the baselines that have to be beaten": "拟合必须超越的基线",
    "Build a model on a pretrained encoder": "在预训练编码器上构建模型",
    "Write a training loop that can be trusted": "写一个可以信赖的训练循环",
    "Fine-tune on a GPU, and on whatever you have": "在 GPU 或手头任何机器上微调",
    "Choose hyperparameters by measuring": "靠测量选择超参数",
    "Make training fast without changing what it learns": "让训练变快，而不改变它学到的东西",
    "Tell a real gain from luck": "分辨真实的提升与运气",
    "Check that probabilities come true": "检验概率是否名副其实",
    "Reproduce a published table, and its faults": "复现一张已发表的表格及其错误",
    "Reproduce three-class satisfaction, with the user's words in view": "复现能看到用户话语的三类满意度预测",
    "Reproduce AB-ReDial and ask who gave the features": "复现 AB-ReDial，并追问特征由谁给出",
    "Reproduce rating prediction, and ask what the split decides": "复现评分预测，并追问划分决定了什么",
    "Report what fine-tuning gained": "报告微调带来的提升",
    # claims of the literature
    "USS (SIGIR 2021): Spearman's rho of .17 to .89": "USS（SIGIR 2021）：Spearman's rho 为 .17 到 .89",
    "USS: F1 of dissatisfied users of .00 to .27": "USS：不满意用户的 F1 为 .00 到 .27",
    "USS: kappa of .00 to .17": "USS：kappa 为 .00 到 .17",
    "T5 (SIGIR 2022): kappa of .61 and .76, rows copied and then split at random": "T5（SIGIR 2022）：kappa 为 .61 和 .76，先复制行再随机划分",
    "USDA (WWW 2022): a training set that was not published": "USDA（WWW 2022）：训练集没有公布",
    "ASAP (ACL 2023): accuracies from a third party's page, BERT-base": "ASAP（ACL 2023）：准确率取自第三方页面，模型为 BERT-base",
    "AB-ReDial (TOIS 2023): r = .73 per turn from annotated aspects": "AB-ReDial（TOIS 2023）：由标注的各方面评分预测每轮满意度，r = .73",
    "rating prediction: one RMSE on MovieLens": "评分预测：MovieLens 上的一个 RMSE",
    "Amazon: stars predicted from reviews": "Amazon：由评论预测星级",
}
# Sentences with numbers: a pattern for the whole English one, and the Chinese one that takes its
# groups.
SENTENCES = tuple(
    (re.compile(pattern), chinese)
    for pattern, chinese in (
        (
            r"\*\*(\S+), profile (\S+)\*\*: (.+) training rows, (.+) test rows, seed (.+); (\d+) cores of (.+), "
            r"accelerator: (.+)\. Test part, 95 % intervals by bootstrap over (\w+)\.",
            "**{1}，profile {2}**：训练 {3} 行，测试 {4} 行，种子 {5}；{7}，{6} 个核心，加速器：{8}。"
            "测试集，95 % 区间由按{9}重采样的自助法得出。",
        ),
        (
            r"- (\S+) of (\S+) minus (\S+): (\S+), 95 % interval (\S+) to (\S+); zero lies outside, so these examples tell "
            r"the two apart\.",
            "- {2} 的 {1} 减去 {3} 的：{4}，95 % 区间 {5} 到 {6}；零在区间之外，这些样本足以分辨二者。",
        ),
        (
            r"- (\S+) of (\S+) minus (\S+): (\S+), 95 % interval (\S+) to (\S+); zero lies inside, so these examples do not "
            r"tell the two apart\.",
            "- {2} 的 {1} 减去 {3} 的：{4}，95 % 区间 {5} 到 {6}；零在区间之内，这些样本不足以分辨二者。",
        ),
        (
            r"(\S+), (\d+) tokens a text on average; (\d+) cores of (.+); medians of (\d+) rounds, in which all took turns\. "
            r"Losses of training are those after (\d+) texts\.",
            "{1}，每个文本平均 {2} 个词元；{4}，{3} 个核心；{5} 轮的中位数，各系统在每轮中轮流运行。"
            "训练一表的损失是训练 {6} 条文本之后的值。",
        ),
        (
            r"After (\d+) texts, satlib's loss is (\S+) in the precision of the machine and (\S+) in fp32, means of (\d+) "
            r"seeds; those in fp32 differ by up to (\S+)\.",
            "训练 {1} 条文本之后，satlib 的损失在本机的精度下是 {2}，在 fp32 下是 {3}（{4} 个种子的均值）；"
            "fp32 的各个种子之间最多相差 {5}。",
        ),
        (
            r"wrong: always saying 3 has (.+) by its formula, which gives ties the first rank; the published XGBoost \((.+)\) "
            r"is that constant",
            "错误：该公式给并列值第一个名次，于是总是回答 3 就有 {1}；论文里的 XGBoost（{2}）正是这个常数",
        ),
        (
            r"wrong: divided by max\(P \+ R, 1\); of TF-IDF with logistic regression it prints (.+) where the F1 is (.+)",
            "错误：除以了 max(P + R, 1)；对 TF-IDF 加逻辑回归，它输出 {1}，而 F1 其实是 {2}",
        ),
        (
            r"the picture reproduces \(near chance\), corrected and with intervals: largest kappa (.+)",
            "总体情况可以复现（接近随机水平）；修正并附上区间后，最大的 kappa：{1}",
        ),
        (
            r"not the model: shuffling rows alone moves a word model's kappa on (\S+) by (.+)",
            "不是模型的功劳：只要把行打乱，一个词模型在 {1} 上的 kappa 就改变 {2}",
        ),
        (
            r"reproduced: (\S+) and (\S+) rows; of (\S+) published rows found in USS (\S+) bear the class that their ratings "
            r"give",
            "已复现：{1} 行和 {2} 行；在 USS 中找到的 {3} 条公布的行里，{4} 条的类别与其评分相符",
        ),
        (
            r"with a fifth of the parameters, average chosen on validation: (\S+) (\S+ \[.+?\]), ASAP's (\S+) ([a-z ]+); "
            r"(\S+) (\S+ \[.+?\]), ASAP's (\S+) ([a-z ]+)",
            "参数只有五分之一，取哪些模型的平均由验证集决定：{1} {2}，ASAP 的 {3} {4}；{5} {6}，ASAP 的 {7} {8}",
        ),
        (
            r"reproduced with the same annotators' aspects: (.+); with other annotators' (.+); the annotators' mean from text "
            r"alone (.+)",
            "用同一批标注者的各方面评分可以复现：{1}；换成其他标注者的则为 {2}；只由文本预测标注者的均值为 {3}",
        ),
        (
            r"the split decides: RMSE of biases and of trees on past behaviour by (.+)",
            "由划分决定：biases 与基于过往行为的 trees 的 RMSE 依次为 {1}",
        ),
        (
            r"two tasks: lowest RMSE (.+) with the review of the rated product, (.+) without it",
            "两个不同的任务：有被评商品的评论时，最低的 RMSE 为 {1}；没有时为 {2}",
        ),
    )
)
SAME = re.compile(
    r"[\d\s.,%+\[\]-]*|`[^`]+`|\[\d\d\]\(\S+\)|:?-+:?|[a-z][a-z0-9-]*"
)  # numbers, code, links, names


def block(text: str) -> str:
    """A generated part of the README in Chinese, line by line."""
    return "\n".join(
        _row(line) if line.startswith("|") else phrase(line) for line in text.split("\n")
    )


def _row(line: str) -> str:
    return (
        f"| {' | '.join(map(phrase, line[1:-1].strip().split(' | ')))} |" if " " in line else line
    )


def phrase(text: str) -> str:
    """One cell or line in Chinese; ValueError where it has none."""
    if text in TERMS:
        return TERMS[text]
    for pattern, chinese in SENTENCES:
        if found := pattern.fullmatch(text):
            return chinese.format(
                text, *(TERMS.get(part, part).replace(" and ", " 和 ") for part in found.groups())
            )
    if SAME.fullmatch(text):
        return text
    raise ValueError(f"the README has no Chinese for {text!r}; add it to satlib/chinese.py")
